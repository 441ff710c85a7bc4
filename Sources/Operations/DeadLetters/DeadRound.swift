import Foundation
import Model
import Pipeline
import Waiting

/// Goes through the selected dead letters, queue by queue, oldest first.
package struct DeadRound {
    /// A letter, and the receipt that a pass has for it.
    package typealias Found = (receipt: Receipt, letter: DeadMessage)

    let queues: any QueueAdministration & QueueInspection
    var names: [String]
    let filter: DeadLetterFilter
    let limit: Int?
    /// Whether another round goes on where this one ends. Then the names of the queues are sorted.
    var isContinued = false

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
    ///   - start: where another round has ended.
    ///   - drain: ends the round after the present letters.
    ///   - progress: called after each batch with the number of letters seen, and the number at the beginning.
    ///   - act: handles the selected letters of one queue.
    /// - Returns: where another round goes on. nil if every letter was looked at.
    /// - Throws: `PortFault`. `tally` holds what was done before.
    @discardableResult
    package func run(
        into tally: inout DeadTally, from start: DeadPlace? = nil, drain: Drain, progress: (DeadTally, Int) -> Void,
        _ act: Act
    ) async throws -> DeadPlace? {
        let total = try await total()
        for name in names where start.map({ name >= $0.queue }) ?? true {
            let begin = name == start?.queue ? start?.place ?? 0 : 0
            if isOver(tally, drain) { return DeadPlace(queue: name, place: begin) }
            let pass = try await queues.pass(throughDeadOf: name, from: begin)
            let last: Receipt?
            do {
                last = try await go(through: pass, of: name, into: &tally, drain: drain, { progress($0, total) }, act)
            } catch {
                try? await pass.close()
                throw error
            }
            let end: Int64? = if let last { await pass.place(after: last) } else { nil }
            try await pass.close()
            if let end { return DeadPlace(queue: name, place: end) }
        }
        return nil
    }

    /// - Returns: the last letter that was looked at. nil if there are no more.
    private func go(
        through pass: any QueueBrowsing, of name: String, into tally: inout DeadTally, drain: Drain,
        _ progress: (DeadTally) -> Void, _ act: Act
    ) async throws -> Receipt? {
        var last: Receipt?
        while true {
            let batch =
                isContinued ? try await pass.next(upTo: (limit ?? .max) - tally.done) : try await pass.next()
            if batch.isEmpty { return nil }
            var rest = batch.map { delivery -> Found in
                (delivery.receipt, DeadMessage(queue: name, body: delivery.body, headers: delivery.headers))
            }[...]
            while !rest.isEmpty {
                let looked = rest
                let meant = taking((limit ?? .max) - tally.done, from: &rest)
                // If somebody else took some meanwhile, nobody knows which. They had the same reasons.
                let done = meant.isEmpty ? 0 : try await act(pass, meant)
                tally.add(meant.prefix(done).map(\.letter))
                tally.seen += looked.count - rest.count
                last = looked.dropLast(rest.count).last?.receipt
                progress(tally)
                if isOver(tally, drain) { return last }
            }
        }
    }

    /// Takes letters until so many of them are meant.
    /// - Returns: those that are meant.
    private func taking(_ limit: Int, from rest: inout ArraySlice<Found>) -> [Found] {
        var meant: [Found] = []
        while meant.count < limit, let found = rest.popFirst() {
            if filter.matches(found.letter) { meant.append(found) }
        }
        return meant
    }

    private func isOver(_ tally: DeadTally, _ drain: Drain) -> Bool {
        drain.isBegun || limit.map { tally.done >= $0 } ?? false
    }
}
