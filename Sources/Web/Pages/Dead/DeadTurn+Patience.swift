import Operations
import Waiting

extension DeadTurn {
    /// Runs when no other round goes any more: people who look at the same page at the same moment are no error.
    /// - Parameter patience: how long it waits for that.
    /// - Throws: `Taken` if another round still goes then; what `round` throws.
    func run<Answer: Sendable>(
        within patience: Duration, _ time: any Timekeeper, _ round: @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let end = time.now().addingTimeInterval(patience.seconds)
        while true {
            do {
                return try await run(round)
            } catch is Taken where time.now() < end {
                try await time.sleep(.milliseconds(50))
            }
        }
    }
}
