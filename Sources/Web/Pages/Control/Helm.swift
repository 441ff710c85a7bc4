import Operations
import Pipeline
import Waiting

/// What the pages act by: the farm's queue and store, opened when somebody acts.
package struct Helm: Sendable {
    /// Who acts, in what is set and in the audit.
    static let who = "web"

    let parts: any ReadingParts
    /// The store that is written.
    let store: @Sendable () async throws -> Store
    let services: ServiceDirectory

    /// - Parameters:
    ///   - parts: what is read.
    ///   - store: the store that is written; it throws `PortFault` while it is out of reach.
    ///   - services: those that can be named.
    package init(
        parts: any ReadingParts, store: @escaping @Sendable () async throws -> Store, services: ServiceDirectory
    ) {
        self.parts = parts
        self.store = store
        self.services = services
    }

    // MARK: Control

    /// - Throws: `PortFault`.
    func control() async throws -> FleetControl { FleetControl(try await store(), services, who: Helm.who) }

    // MARK: Dead letters

    func deadLetters() async throws -> DeadOverview { try await DeadOverview(parts, services, drain: Drain()) }

    /// How many letters an act would meet.
    /// - Throws: `OperationFault`, `PortFault`.
    func count(_ act: DeadAct) async throws -> DeadTally {
        var tally = DeadTally()
        try await round(act).run(into: &tally, drain: Drain(), progress: { _, _ in }, DeadRound.counting)
        return tally
    }

    /// Begins an act; its row in the audit is written when it has ended, with what it came to.
    func begin(_ act: DeadAct, total: Int, in acts: BackgroundActs) {
        let text = "\(act.verb.rawValue) dead letters: \(act.filter)"
        acts.begin(text, total: total) { [self] drain, note in
            var tally = DeadTally()
            let round = try await round(act)
            var failure: (any Error)?
            do {
                try await round.run(
                    into: &tally, drain: drain, progress: { tally, _ in note(tally.done) },
                    act.verb == .requeue ? DeadRound.requeuing(at: { .now }) : DeadRound.dropping)
            } catch {
                failure = error
            }
            try await store().audit(
                AuditEntry(who: Helm.who, act: "dead \(act.verb.rawValue)", filter: act.filter, count: tally.done))
            if let failure { throw failure }
            return tally.done
        }
    }

    private func round(_ act: DeadAct) async throws -> DeadRound {
        let queue = try await parts.queue()
        let workers = (try? await parts.store().liveWorkers()) ?? []
        return try await act.choice.round(
            queue, try await KnownQueues(services, queue, workers: workers), store: nil)
    }
}
