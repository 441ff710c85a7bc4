import Waiting

/// Lets one round through the dead letters go at a time. While a round looks at letters, a broker gives them to nobody else, so
/// that another round would miss them.
package struct DeadTurn: Sendable {
    /// Another round goes, and has not ended in time.
    package struct Taken: Error, CustomStringConvertible {
        package var description: String { "the dead letters are being looked through already" }
    }

    /// A look at the letters is over within this time; a round that acts on many of them is not.
    package static let patience = Duration.seconds(20)

    private let time: any Timekeeper
    private let isBusy = Watched(false)

    package init(time: any Timekeeper) { self.time = time }

    /// Waits for a round that goes.
    /// - Parameter patience: how long.
    /// - Throws: `Taken` if it has not ended in time; what `round` throws.
    package func run<Answer: Sendable>(
        within patience: Duration = patience, _ round: @Sendable () async throws -> Answer
    ) async throws -> Answer {
        guard await takes(within: patience) else { throw Taken() }
        defer { isBusy.change { $0 = false } }
        return try await round()
    }

    private func takes(within patience: Duration) async -> Bool {
        @Sendable func take(_ isBusy: inout Bool) -> Bool? {
            if isBusy { return nil }
            isBusy = true
            return true
        }
        if isBusy.change({ take(&$0) }) == true { return true }
        let (time, isBusy) = (time, isBusy)
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await isBusy.wait { take(&$0) } ?? false }
            group.addTask {
                try? await time.sleep(patience)
                return false
            }
            // Who got its turn in the moment in which the time was over keeps it.
            let first = await group.next() ?? false
            group.cancelAll()
            return await group.reduce(first) { $0 || $1 }
        }
    }
}
