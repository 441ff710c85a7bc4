import Doubles
@testable import Embedded
import Foundation
import GRDB
import Logging
import Model
import Pipeline
import Synchronization
import Waiting

/// A folder for the files of one test.
struct Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("farm-ports-\(UUID().text)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    var database: String { path + "/farm.db" }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// Opens the file as another tool would.
func tool(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    return try DatabaseQueue(path: path, configuration: configuration)
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension EmbeddedDatabase {
    static func open(_ path: String, _ time: any Timekeeper = ManualTime()) async throws -> EmbeddedDatabase {
        try await EmbeddedDatabase(path: path, time: time, log: quiet)
    }
}

/// Processes that share a file. Each has a clock of its own; that of a dead one stands still.
final class EmbeddedProcesses: Sendable {
    private struct Process: Sendable {
        var database: EmbeddedDatabase
        var time: ManualTime
    }

    private static let start = Date(timeIntervalSince1970: 1_790_000_000)

    let folder: Folder
    private let living = Mutex<[Int: Process]>([:])
    private let all = Mutex<[EmbeddedDatabase]>([])
    private let elapsed = Mutex(Duration.zero)

    init() throws { folder = try Folder() }

    func connect() async throws -> QueueConnection {
        let time = ManualTime(EmbeddedProcesses.start.addingTimeInterval(elapsed.withLock { $0.seconds }))
        let database = try await EmbeddedDatabase.open(folder.database, time)
        let id = all.withLock { all in
            all.append(database)
            return all.count
        }
        living.withLock { $0[id] = Process(database: database, time: time) }
        return QueueConnection(
            queue: EmbeddedQueue(database),
            waits: { while !database.hub.bell.hasWaiters { await Task.yield() } },
            die: { [self] in
                living.withLock { $0[id] = nil }
                await advance(.seconds(20))
            },
            close: { [self] in
                living.withLock { $0[id] = nil }
                await database.close()
            })
    }

    /// In steps shorter than a lease, each one waited for until all have renewed theirs.
    func advance(_ duration: Duration) async {
        var rest = duration
        while rest > .zero {
            let step = min(rest, .seconds(4))
            rest -= step
            elapsed.withLock { $0 += step }
            for process in living.withLock({ Array($0.values) }) {
                let hasUpkeep = process.database.hub.holder != nil
                if hasUpkeep { await process.time.sleepers(1) }
                process.time.advance(by: step)
                if hasUpkeep { await process.time.sleepers(1) }
            }
        }
    }

    func close() async {
        for database in all.withLock({ $0 }) { await database.close() }
        folder.remove()
    }
}

extension QueueBackend {
    static let embedded = QueueBackend(name: "embedded") {
        let processes = try EmbeddedProcesses()
        return QueueBroker(
            connect: { try await processes.connect() }, advance: { await processes.advance($0) },
            close: { await processes.close() })
    }
}

extension StoreBackend {
    static let embedded = StoreBackend(name: "embedded") {
        let folder = try Folder()
        let time = ManualTime()
        let database = try await EmbeddedDatabase.open(folder.database, time)
        let others = Mutex<[EmbeddedDatabase]>([])
        let path = folder.database
        return StoreBase(
            store: EmbeddedStore(database),
            connect: {
                let other = try await EmbeddedDatabase.open(path, time)
                others.withLock { $0.append(other) }
                return EmbeddedStore(other)
            },
            now: { time.now() }, advance: { time.advance(by: $0) },
            execute: { sql in try await tool(path).write { try $0.execute(sql: sql) } },
            select: { sql in
                try await tool(path).read {
                    try DatabaseValue.fetchAll($0, sql: sql).map { String.fromDatabaseValue($0) ?? "\($0)" }
                }
            },
            close: {
                for other in others.withLock({ $0 }) { await other.close() }
                await database.close()
                folder.remove()
            })
    }
}

extension HeartbeatBackend {
    static let embedded = HeartbeatBackend(name: "embedded") {
        let folder = try Folder()
        let time = ManualTime()
        let database = try await EmbeddedDatabase.open(folder.database, time)
        let store = EmbeddedHeartbeats(database)
        let path = folder.database
        return HeartbeatBase(
            store: store,
            insert: { beat, age in
                let timestamp = Timestamp.sqlite(time.now().addingTimeInterval(-age.seconds))
                try await tool(path).write {
                    try $0.execute(
                        sql: """
                            INSERT INTO worker_heartbeats (timestamp, worker_id, service_name, node_hostname, status,
                                jobs_completed, jobs_per_minute, error_message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                            """,
                        arguments: [
                            timestamp, beat.workerID, beat.serviceName, beat.nodeHostname, beat.status.rawValue,
                            beat.jobsCompleted, beat.jobsPerMinute, beat.errorMessage,
                        ])
                }
            },
            count: { worker in
                try await tool(path).read {
                    try Int.fetchOne(
                        $0, sql: "SELECT count(*) FROM worker_heartbeats WHERE worker_id = ?", arguments: [worker])
                        ?? 0
                }
            },
            close: {
                await database.close()
                folder.remove()
            })
    }
}
