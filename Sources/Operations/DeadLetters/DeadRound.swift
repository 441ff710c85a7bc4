import Foundation
import Model
import Pipeline
import Waiting

/// Goes through the dead letters that are meant, queue by queue, oldest first.
package struct DeadRound {
    /// A letter with what a pass knows it by.
    package typealias Found = (receipt: Receipt, letter: DeadMessage)

    let queues: any QueueAdministration & QueueInspection
    let names: [String]
    let filter: DeadLetterFilter
    let limit: Int?

    /// How many letters lie in these queues.
    package func total() async throws -> Int { try await queues.depths(of: names).reduce(0) { $0 + $1.dead } }

    /// Does something with the letters of one queue that are meant.
    /// - Returns: how many of them it found still there.
    package typealias Act = (any QueueBrowsing, [Found]) async throws -> Int

    /// Puts jobs back into their queue, to be tried anew.
    package static func requeuing(at now: @escaping () -> Date) -> Act {
        { browsing, found in
            let now = now()
            return try await browsing.replace(found.map { ($0.receipt, $0.letter.requeued(at: now)) })
        }
    }

    /// Removes letters for good.
    package static func dropping(_ browsing: any QueueBrowsing, _ found: [Found]) async throws -> Int {
        try await browsing.remove(found.map(\.receipt))
    }

    /// Only counts them.
    package static func counting(_ browsing: any QueueBrowsing, _ found: [Found]) -> Int { found.count }

    /// - Parameters:
    ///   - drain: ends it after the letters at hand.
    ///   - progress: told after each batch how far it is, and how many letters lay there when it began.
    ///   - act: does something with letters of one queue that are meant.
    /// - Throws: `PortFault`; `tally` tells how far it came.
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
                    // Those that somebody else took meanwhile are not told apart: they had the same reasons.
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
