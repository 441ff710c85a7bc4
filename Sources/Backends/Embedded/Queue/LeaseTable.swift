import GRDB

/// The statements of `farm_holders`, with one row for each process that takes messages. Times are milliseconds since
/// 1970.
enum LeaseTable {
    /// Extends a lease. A lease that has run out goes on until another process notices and deletes its row.
    /// - Returns: the holder. Another one if the lease was lost.
    static func renew(_ holder: Int64?, until expiry: Int64, _ database: Database) throws -> Int64 {
        if let holder, try database.run("UPDATE farm_holders SET expires_at = ? WHERE id = ?", [expiry, holder]) > 0 {
            return holder
        }
        return try register(until: expiry, database)
    }

    /// The holder if its lease exists, or a new one if it was lost. Usually it writes nothing.
    static func ensure(_ holder: Int64?, until expiry: Int64, _ database: Database) throws -> Int64 {
        if let holder, try database.exists("SELECT 1 FROM farm_holders WHERE id = ?", [holder]) { return holder }
        return try register(until: expiry, database)
    }

    private static func register(until expiry: Int64, _ database: Database) throws -> Int64 {
        try database.run("INSERT INTO farm_holders (expires_at) VALUES (?)", [expiry])
        return database.lastInsertedRowID
    }

    /// Makes available again what ended processes had leased.
    static func releaseExpired(at now: Int64, except holder: Int64?, _ database: Database) throws {
        let expired: [Int64] = try database.all(
            "SELECT id FROM farm_holders WHERE expires_at <= ? AND id IS NOT ?", [now, holder]
        ) { $0[0] }
        for holder in expired { try end(holder, database) }
    }

    /// When the next lease of another process runs out, unless it is renewed.
    static func nextExpiry(except holder: Int64?, _ database: Database) throws -> Int64? {
        try database.integer("SELECT min(expires_at) FROM farm_holders WHERE id IS NOT ?", [holder]).map(Int64.init)
    }

    /// Ends a lease. What it held comes again, redelivered.
    static func end(_ holder: Int64, _ database: Database) throws {
        try QueueTable.releaseHeld(by: holder, database)
        try database.run("DELETE FROM farm_holders WHERE id = ?", [holder])
    }
}
