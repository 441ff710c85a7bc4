import CPostgreSQL

/// The lock that an upgrade holds, so that only one machine upgrades at a time.
///
/// It belongs to a transaction that stays open during the whole upgrade, while another connection does the work. (A
/// pooler keeps a server session for one transaction, not for longer.) Between its statements that transaction holds no
/// snapshot, so building an index CONCURRENTLY does not wait for it.
enum UpgradeLock {
    /// The key of the lock: "farm" in ASCII, and a number for each of farm's locks.
    private static let key = (space: Locks.space, id: 0)

    /// Tries to take the lock. The caller asks again and again instead of waiting in the server. A statement that waits
    /// has a snapshot, and building an index CONCURRENTLY waits for every older snapshot, so the two would wait for
    /// each other.
    /// - Returns: nil if the lock is held from now on, until the transaction ends. Otherwise, who holds it.
    static func take(_ connection: PostgreSQLConnection) throws -> Waiting? {
        let isHeld = try connection.execute(
            """
            BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0;
            SELECT pg_try_advisory_xact_lock(\(key.space), \(key.id))
            """)?.first?.flag(0)
        if isHeld ?? false { return nil }
        let holder = try Waiting.find(
            connection,
            """
            SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.classid::bigint = \(key.space) AND l.objid::bigint = \(key.id)
            """)
        try connection.execute("ROLLBACK")
        return holder ?? Waiting(process: 0, who: "another program")
    }

    /// - Throws: `PostgreSQLFault` if the lock is no longer held.
    static func confirm(_ connection: PostgreSQLConnection) throws {
        guard PQtransactionStatus(connection.handle) == PQTRANS_INTRANS else {
            throw PostgreSQLFault(message: "the connection that held the upgrade's lock was lost", isLost: true)
        }
        try connection.execute("SELECT 1")
    }

    static func release(_ connection: PostgreSQLConnection) throws { try connection.execute("COMMIT") }
}

/// A process of the server that an upgrade waits for.
struct Waiting: Sendable {
    /// Its number in the server.
    var process: Int
    /// A description for people.
    var who: String

    /// The process whose lock this program's own statements wait for, if any.
    static func blocker(_ connection: PostgreSQLConnection) throws -> Waiting? {
        try find(
            connection,
            """
            SELECT b.pid FROM pg_stat_activity a CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS b(pid)
            WHERE a.datname = current_database() AND a.application_name = current_setting('application_name')
            AND a.wait_event_type = 'Lock'
            """)
    }

    /// - Parameter processes: a query that returns their numbers.
    static func find(_ connection: PostgreSQLConnection, _ processes: String) throws -> Waiting? {
        let row = try connection.execute(
            """
            SELECT pid, concat_ws(', ', coalesce(nullif(application_name, ''), 'a program'), 'user ' || usename,
                'from ' || host(client_addr), 'process ' || pid || ' of the server', state,
                'its transaction ' || extract(epoch FROM clock_timestamp() - xact_start)::bigint || ' s old')
            FROM pg_stat_activity WHERE pid IN (\(processes)) ORDER BY xact_start LIMIT 1
            """)?.first
        // The server hides some details of other users' processes.
        return row.map { Waiting(process: $0.integer(0) ?? 0, who: $0.text(1) ?? "?") }
    }
}
