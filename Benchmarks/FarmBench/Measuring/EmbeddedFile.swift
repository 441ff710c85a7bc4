import Foundation
import GRDB

/// The embedded file as another program sees it, while farm works on it.
struct EmbeddedFile {
    private let pool: DatabasePool

    init(_ path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        pool = try DatabasePool(path: path, configuration: configuration)
    }

    func number(_ sql: String) throws -> Double {
        try pool.read { try Double.fetchOne($0, sql: sql) } ?? 0
    }

    func rows(_ sql: String) throws -> [Row] { try pool.read { try Row.fetchAll($0, sql: sql) } }

    /// Waits until a query's first value satisfies the condition; looks every half millisecond.
    /// - Throws: `BenchFault` after that many seconds.
    func wait(_ sql: String, within seconds: Double = 600, until isReached: (Double) -> Bool) throws {
        let end = Clock.wall + seconds
        while try !isReached(number(sql)) {
            guard Clock.wall < end else { throw BenchFault("after \(seconds) s: \(sql) is \(try number(sql))") }
            // As another program sees it, by asking: SQLite tells other processes nothing.
            usleep(500)
        }
    }
}
