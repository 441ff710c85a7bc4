import Foundation
import Model
import Pipeline
import Waiting

/// Goes through the selected dead letters, queue by queue, oldest first.
package struct DeadRound {
    /// A letter, and the receipt that a pass has for it.
    package typealias Found = (receipt: Receipt, letter: DeadMessage)

    let queues: any QueueAdministration & QueueInspection
    let names: [String]
    let filter: DeadLetterFilter
    let limit: Int?

    /// How many letters there are in these queues.
    package func total() async throws -> Int { try await queues.depths(of: names).reduce(0) { $0 + $1.dead } }

    /// Handles the selected letters of one queue.
    /// - Returns: how many of them were still there.
    package typealias Act = (any QueueBrowsing, [Found]) async throws -> Int

    /// Puts jobs back into their queue, to be tried again.
    package static func requeuing(at now: @escaping () -> Date) -> Act {
        { browsing, found in
            let now = now()
            return try await browsing.replace(found.map { ($0.receipt, $0.letter.requeued(at: now)) })
        }
    }

    /// Deletes letters.
    package static func dropping(_ browsing: any QueueBrowsing, _ found: [Found]) async throws -> Int {
        try await browsing.remove(found.map(\.receipt))
    }

    /// Only counts letters.
    package static func counting(_ browsing: any QueueBrowsing, _ found: [Found]) -> Int { found.count }

    /// - Parameters:
    ///   - drain: ends the round after the present letters.
    ///   - progress: called after each batch with the number of letters seen, and the number at the beginning.
    ///   - act: handles the selected letters of one queue.
    /// - Throws: `PortFault`. `tally` holds what was done before.
    package func run(
        into tally: inout DeadTally, drain: Drain, progress: (DeadTally, Int) -> Void, _ act: Act
    ) async throws {
        let total = try await total()
        for name in names where !isOver(tally, drain) {
            let pass = try await queues.pass(through: name, .dead)
            do {
                while !isOver(tally, drain), case let batch = try await pass.next(), !batch.isEmpty {
                    let letters = batch.map { delivery -> Found in
                        (delivery.receipt, DeadMessage(queue: name, body: delivery.body, headers: delivery.headers))
                    }
                    let meant = letters.filter { filter.matches($0.letter) }.prefix((limit ?? .max) - tally.done)
                    // If somebody else took some meanwhile, nobody knows which. They had the same reasons.
                    let done = meant.isEmpty ? 0 : try await act(pass, Array(meant))
                    tally.add(meant.prefix(done).map(\.letter))
                    tally.seen += batch.count
                    progress(tally, total)
                }
            } catch {
                try? await pass.close()
                throw error
            }
            try await pass.close()
        }
    }

    private func isOver(_ tally: DeadTally, _ drain: Drain) -> Bool {
        drain.isBegun || limit.map { tally.done >= $0 } ?? false
    }
}
