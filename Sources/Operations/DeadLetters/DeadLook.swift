import Model
import Pipeline
import Waiting

/// A look at dead letters, or an act on them, that ends after a number of letters or some seconds, so that nobody waits
/// long for it.
package struct DeadLook {
    /// What it has come to.
    package struct Answer {
        /// How many letters were seen, by reason.
        package var tally = DeadTally()
        /// The letters, if they were asked for.
        package var letters: [DeadMessage] = []
        /// Why it ended early. What was done until then stays done.
        package var failure: (any Error)?
        /// How many letters all the chosen queues had when the look began.
        package var total = 0
        /// Where another look goes on. nil if every letter was looked at.
        package var next: DeadPlace?
    }

    private let round: DeadRound
    private let start: DeadPlace?
    /// Letters that are looked at, at most.
    private let bound: Int

    /// - Parameters:
    ///   - choice: its `limit` bounds the letters that are meant.
    ///   - start: the `next` of another look with this choice. nil: the beginning.
    ///   - bound: letters that are looked at, at most.
    /// - Throws: `OperationFault` for a service that is not known; `PortFault`.
    package init(
        _ choice: DeadLetterChoice, _ parts: any ReadingParts, _ known: KnownQueues, from start: DeadPlace? = nil,
        bound: Int = 20_000
    ) async throws {
        let store = choice.images.contains { ImageID($0) == nil } ? try await parts.store() : nil
        var round = try await choice.round(try await parts.queue(), known, store: store)
        // Which queues are known, and in which order, may be another when the next look goes on.
        round.names.sort()
        round.isContinued = true
        (self.round, self.start, self.bound) = (round, start, bound)
    }

    /// - Parameters:
    ///   - keeping: the letters are wanted.
    ///   - act: what is done with those that are meant.
    package func run(keeping: Bool = false, _ act: DeadRound.Act = DeadRound.counting) async -> Answer {
        var answer = Answer()
        var (tally, total) = (DeadTally(), 0)
        var letters: [DeadMessage] = []
        let (drain, end) = (Drain(), ContinuousClock.now + DeadTurn.patience)
        do {
            answer.next = try await round.run(into: &tally, from: start, drain: drain) { progress, count in
                total = count
                if progress.seen >= bound || ContinuousClock.now > end { drain.begin() }
            } _: { browsing, found in
                if keeping { letters += found.map(\.letter) }
                return try await act(browsing, found)
            }
        } catch {
            answer.failure = error
        }
        (answer.tally, answer.total, answer.letters) = (tally, total, letters)
        return answer
    }
}
