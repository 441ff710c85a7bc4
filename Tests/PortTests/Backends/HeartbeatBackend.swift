import Foundation
import Model
import Pipeline
import Testing

/// A store of heartbeats. A new one joins with a line in `heartbeatBackends`.
struct HeartbeatBackend: Sendable, CustomTestStringConvertible {
    typealias Test = @Sendable (HeartbeatBase) async throws -> Void

    var name: String
    /// Runs a test on an empty table of its own.
    var run: @Sendable (@escaping Test) async throws -> Void

    var testDescription: String { name }
}

extension HeartbeatBackend {
    init(name: String, make: @escaping @Sendable () async throws -> HeartbeatBase) {
        self.init(
            name: name,
            run: { test in
                let base = try await make()
                do { try await test(base) } catch {
                    await base.close()
                    throw error
                }
                await base.close()
            })
    }
}

let heartbeatBackends = [HeartbeatBackend.embedded, .mariadb, .simulated]

/// A table of one test's own.
struct HeartbeatBase: Sendable {
    var store: any HeartbeatStore
    /// Writes a row that is so old.
    var insert: @Sendable (Heartbeat, _ age: Duration) async throws -> Void
    /// How many rows a worker has.
    var count: @Sendable (_ workerID: String) async throws -> Int
    var close: @Sendable () async -> Void
}

extension Heartbeat {
    static func of(
        _ workerID: String, _ serviceName: String = "blip", on host: String = "k1", _ status: Status = .alive,
        completed: Int = 0, rate: Double = 0, error: String? = nil
    ) -> Heartbeat {
        Heartbeat(
            workerID: workerID, serviceName: serviceName, nodeHostname: host, status: status, jobsCompleted: completed,
            jobsPerMinute: rate, errorMessage: error)
    }

    static func of(
        _ workerID: String, on host: String = "k1", _ status: Status, completed: Int = 0, error: String? = nil
    ) -> Heartbeat {
        of(workerID, "blip", on: host, status, completed: completed, error: error)
    }
}
