import Operations
import Pipeline
import Waiting

/// What the pages act by: the farm's queue and store, opened when somebody acts.
package struct Helm: Sendable {
    /// Who acts, in what is set and in the audit.
    static let who = "web"
    /// How long an act on dead letters, which goes on by itself, waits for its turn.
    private static let actPatience = Duration.seconds(3600)
    /// How long letters are counted before somebody is asked to be sure. With the wait for the turn it is less than the
    /// minute for which proxies wait.
    private static let countPatience = Duration.seconds(20)

    let parts: any ReadingParts
    /// The store that is written.
    let store: @Sendable () async throws -> Store
    let services: ServiceDirectory
    /// Shared with the API.
    let turn: DeadTurn
    /// The letters by reason; looking at them holds them up, so it is not done for each viewer.
    let dead: Remembered<DeadOverview>

    /// - Parameters:
    ///   - parts: what is read.
    ///   - store: the store that is written; it throws `PortFault` while it is out of reach.
    ///   - services: those that can be named.
    ///   - turn: of rounds through the dead letters.
    package init(
        parts: any ReadingParts, store: @escaping @Sendable () async throws -> Store, services: ServiceDirectory,
        turn: DeadTurn, time: any Timekeeper
    ) {
        self.turn = turn
        dead = Remembered(for: 10, time: time) {
            try await turn.run { try await DeadOverview(parts, services, drain: Drain()) }
        }
        self.parts = parts
        self.store = store
        self.services = services
    }

    // MARK: Control

    /// - Throws: `PortFault`.
    func control() async throws -> FleetControl { FleetControl(try await store(), services, who: Helm.who) }

    // MARK: Dead letters

    /// How many letters an act would meet.
    /// - Returns: what was counted, and whether that is all.
    /// - Throws: `OperationFault`, `PortFault`.
    func count(_ act: DeadAct) async throws -> (tally: DeadTally, isWhole: Bool) {
        try await turn.run {
            let (drain, end) = (Drain(), ContinuousClock.now + Helm.countPatience)
            var tally = DeadTally()
            let rest = try await round(act).run(into: &tally, drain: drain) { _, _ in
                if ContinuousClock.now > end { drain.begin() }
            } _: {
                DeadRound.counting($0, $1)
            }
            return (tally, rest == nil)
        }
    }

    /// Begins an act, which goes on by itself.
    /// - Parameter total: how many letters it will meet, as far as somebody knows.
    /// - Throws: `OperationFault` for a service that is not known; `PortFault`.
    func begin(_ act: DeadAct, total: Int?, in acts: BackgroundActs) async throws {
        _ = try await round(act)
        acts.begin("\(act.verb.rawValue) dead letters: \(act.filter)", total: total) { [self] drain, note in
            let (tally, failure) = try await turn.run(within: Helm.actPatience) {
                let round = try await round(act)
                return try await store().auditing("dead \(act.verb.rawValue)", of: act.filter, by: Helm.who) { begins in
                    await go(round, act.verb, drain, note, begins)
                } outcome: {
                    ($0.tally.done, $0.failure)
                }
            }
            await dead.forget()
            if let failure { throw failure }
            return tally.done
        }
    }

    /// - Parameter begins: called before each change.
    /// - Returns: how far it came, and why no farther.
    private func go(
        _ round: DeadRound, _ verb: DeadAct.Verb, _ drain: Drain, _ note: @Sendable (Int) -> Void,
        _ begins: () async throws -> Void
    ) async -> (tally: DeadTally, failure: (any Error)?) {
        var tally = DeadTally()
        let act: DeadRound.Act = verb == .requeue ? DeadRound.requeuing { .now } : DeadRound.dropping
        do {
            try await round.run(into: &tally, drain: drain) { tally, _ in
                note(tally.done)
            } _: { browsing, found in
                try await begins()
                return try await act(browsing, found)
            }
            return (tally, nil)
        } catch {
            return (tally, error)
        }
    }

    private func round(_ act: DeadAct) async throws -> DeadRound {
        try await act.choice.round(try await parts.queue(), try await KnownQueues(services, parts), store: nil)
    }
}
