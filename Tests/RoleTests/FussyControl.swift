import Doubles
import Foundation
import Harmony
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting
/// A test double of what operators have set: the bench's own, until it is told to be away.
final class FussyControl: ControlRecords {
    private let records: any ControlRecords
    private let fault = Mutex<PortFault?>(nil)
    private let reads = Mutex(0)
    private let returns = Mutex(0)

    init(_ records: any ControlRecords, _ fault: PortFault? = nil) {
        self.records = records
        self.fault.withLock { $0 = fault }
    }

    /// How often it was read, or could not be.
    var readCount: Int { reads.withLock { $0 } }

    /// How many tokens have come back unused.
    var returnedTokens: Int { returns.withLock { $0 } }

    func fail(_ new: PortFault?) { fault.withLock { $0 = new } }

    func control() async throws -> ControlSheet {
        defer { reads.withLock { $0 += 1 } }
        if let fault = fault.withLock({ $0 }) { throw fault }
        return try await records.control()
    }

    func changeControl(
        of services: [String], _ change: @Sendable @escaping (ControlSheet) -> Result<ControlChange, any Error>
    ) async throws -> [ServiceControl] { try await records.changeControl(of: services, change) }

    func leaseTokens(_ count: Int, returning returned: Int, of service: String) async throws -> TokenLease {
        if let fault = fault.withLock({ $0 }) { throw fault }
        returns.withLock { $0 += returned }
        return try await records.leaseTokens(count, returning: returned, of: service)
    }
}

extension Bench {
    /// Sets something for a service, as an operator does.
    func set(
        _ service: String, _ change: @Sendable @escaping (inout ServiceControl, Date) -> Void
    ) async throws {
        _ = try await store.changeControl(of: [service]) { sheet in
            var control = sheet[service]
            (control.setBy, control.setAt) = ("anna", sheet.now)
            change(&control, sheet.now)
            return .success(ControlChange([control], audit: nil))
        }
    }

    func watch(_ records: (any ControlRecords)? = nil) -> ControlWatch {
        ControlWatch(records ?? store, time: time, log: Bench.log)
    }

    /// Moves time until a condition holds.
    func moving(
        by step: Duration = .milliseconds(500), until condition: () async throws -> Bool
    ) async throws {
        try await eventually {
            if try await condition() { return true }
            time.advance(by: step)
            return false
        }
    }

    /// Runs a watch beside a role, and drains the role when `body` ends.
    func run(
        _ role: @escaping @Sendable (Drain) async throws -> Void, under watch: ControlWatch,
        _ body: () async throws -> Void
    ) async throws {
        let drain = Drain()
        let watching = Task { await watch.run() }
        async let running: Void = role(drain)
        do { try await body() } catch {
            drain.begin()
            watching.cancel()
            try await running
            throw error
        }
        drain.begin()
        try await running
        watching.cancel()
        await watching.value
    }

    func clip(_ hold: Drain? = nil) -> ScriptedService {
        ScriptedService("clip") { _, _ in
            await hold?.wait()
            return .answered(.of("clip", []))
        }
    }
}
