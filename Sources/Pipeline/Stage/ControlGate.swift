import Foundation
import Waiting

/// Holds what operators have set for one service or role, as this process knows it. The stage waits here during a pause, and
/// whoever calls the service asks here first.
public final class ControlGate: Sendable {
    /// Leases a number of tokens of the service's rate limit, and returns a number of earlier ones. See `ControlRecords`.
    public typealias Lease = @Sendable (Int, Int) async throws -> TokenLease
    /// Receives what is set.
    public typealias Observer = @Sendable (ServiceControl) -> Void

    /// What a stage that takes jobs has to know before it takes the next one.
    private struct Terms: Sendable, Equatable {
        var isLimited: Bool
        var concurrency: Int?
    }

    private struct State: Sendable {
        /// nil until it was read.
        var control: ServiceControl?
        /// The number of stages that are taking jobs. A pause is not obeyed before they have stopped.
        var taking = 0
        var obeyed: Int?
        var observers: [Observer] = []

        var isOpen: Bool { control.map { !$0.isPaused } ?? false }
        var isLimited: Bool { control?.rateLimit != nil }
        var terms: Terms { Terms(isLimited: isLimited, concurrency: control?.concurrency) }

        mutating func obey() {
            guard let control, !(control.isPaused && taking > 0) else { return }
            obeyed = control.revision
        }
    }

    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public let service: String
    let lease: Lease
    private let state: Watched<State>

    /// A gate that lets nothing be taken before `adopt` was called.
    public init(_ service: String, lease: @escaping Lease) {
        self.service = service
        self.lease = lease
        state = Watched(State())
    }

    /// A gate that is always open.
    public static func free(_ service: String = "") -> ControlGate {
        let gate = ControlGate(service) { _, _ in .unlimited }
        gate.adopt(ServiceControl(service: service))
        return gate
    }

    // MARK: What is set

    /// Replaces what is set.
    public func adopt(_ control: ServiceControl) {
        let observers = state.change { state -> [Observer] in
            guard state.control != control else { return [] }
            state.control = control
            state.obey()
            return state.observers
        }
        for observer in observers { observer(control) }
    }

    /// Calls `observer` with what is set: at once if that is known, and at every change.
    package func observe(_ observer: @escaping Observer) {
        let control = state.change { state in
            state.observers.append(observer)
            return state.control
        }
        if let control { observer(control) }
    }

    /// What is set. nil until it was read.
    public var control: ServiceControl? { state.read { $0.control } }

    /// Whether it is paused.
    public var isPaused: Bool { state.read { $0.control?.isPaused ?? false } }

    /// The revision that is obeyed. nil until one was read.
    public var obeyed: Int? { state.read { $0.obeyed } }

    var isLimited: Bool { state.read { $0.isLimited } }

    // MARK: Waiting

    /// Waits while it is paused.
    /// - Throws: `CancellationError`.
    package func pass() async throws {
        guard await state.wait(until: { $0.control?.isPaused ?? false ? nil : true }) != nil else {
            throw CancellationError()
        }
    }

    /// Runs `operation`, which takes jobs, and cancels it when the service is paused or other limits are set. Then it runs
    /// `end`, and begins again as soon as the service is not paused.
    /// - Parameter end: gives back what was fetched and not begun.
    /// - Throws: what `operation` throws by itself, what `end` throws; `CancellationError`.
    package func taking(
        _ operation: @Sendable @escaping () async throws -> Void, end: () async throws -> Void
    ) async throws {
        while true {
            try Task.checkCancellation()
            let begun = await state.wait { state -> Terms? in
                guard state.isOpen else { return nil }
                state.taking += 1
                return state.terms
            }
            guard let terms = begun else { throw CancellationError() }
            defer {
                state.change { state in
                    state.taking -= 1
                    state.obey()
                }
            }
            try await untilChanged(from: terms, operation)
            try Task.checkCancellation()
            try await end()
        }
    }

    private func untilChanged(
        from terms: Terms, _ operation: @Sendable @escaping () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await operation()
                return false
            }
            group.addTask {
                _ = await self.state.wait { $0.isOpen && $0.terms == terms ? nil : true }
                return true
            }
            let isChanged = try await group.next() ?? true
            group.cancelAll()
            guard isChanged else { return }
            // A drain ends both as well, and is no change.
            let isOver = Task.isCancelled
            do { _ = try await group.next() } catch is CancellationError where !isOver {}
        }
    }
}
