import GRDB

/// The statements of `farm_holders`: one row per process that takes messages. Times are milliseconds since 1970.
enum LeaseTable {
    /// Prolongs a lease. One that ran out goes on as long as nobody has noticed; who notices takes the row away.
    /// - Returns: the holder; another one if the lease was lost.
    static func renew(_ holder: Int64?, until expiry: Int64, _ database: Database) throws -> Int64 {
        if let holder, try database.run("UPDATE farm_holders SET expires_at = ? WHERE id = ?", [expiry, holder]) > 0 {
            return holder
        }
        return try register(until: expiry, database)
    }

    /// The holder whose lease is there; a new one if it was lost. Writes nothing in the usual case.
    static func ensure(_ holder: Int64?, until expiry: Int64, _ database: Database) throws -> Int64 {
        if let holder, try database.exists("SELECT 1 FROM farm_holders WHERE id = ?", [holder]) { return holder }
        return try register(until: expiry, database)
    }

    private static func register(until expiry: Int64, _ database: Database) throws -> Int64 {
        try database.run("INSERT INTO farm_holders (expires_at) VALUES (?)", [expiry])
        return database.lastInsertedRowID
    }

    /// Makes available again what processes held that are gone.
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

    /// Ends a lease: what is held comes again, redelivered.
    static func end(_ holder: Int64, _ database: Database) throws {
        try QueueTable.releaseHeld(by: holder, database)
        try database.run("DELETE FROM farm_holders WHERE id = ?", [holder])
    }
}
