import Foundation
import Model
import Pipeline
import Waiting

/// The dead letters by service and reason, with examples.
package struct DeadOverview: Sendable {
    /// Letters of one service that died of one reason.
    package struct Group: Sendable {
        /// The queue they come from.
        package var queue: String
        /// The service or role that takes from it.
        package var service: String
        /// Why they are dead.
        package var reason: String
        /// How many of those that were counted.
        package var count: Int
        /// The first ones, which are the oldest.
        package var examples: [DeadMessage]
    }

    /// The letters of one service or role.
    package struct Heap: Sendable {
        /// The queue they come from.
        package var queue: String
        /// The service or role that takes from it.
        package var service: String
        /// Letters that lie there.
        package var total: Int
        /// How many of them are in groups.
        package var counted = 0

        /// Whether there are letters that are in no group, perhaps of other reasons.
        package var isPartial: Bool { counted < total }
    }

    /// Letters that are looked at: more would take long, and hold the broker up.
    private static let limit = 5000
    /// For each group.
    private static let exampleLimit = 3
    /// Any text may be a reason.
    private static let groupLimit = 200

    /// The largest first.
    package private(set) var groups: [Group] = []
    /// Every queue with letters, the largest first.
    package private(set) var heaps: [Heap] = []

    /// Letters that are in groups.
    package var counted: Int { heaps.reduce(0) { $0 + $1.counted } }
    /// Letters that lie there.
    package var total: Int { heaps.reduce(0) { $0 + $1.total } }
    /// Whether there are letters that are in no group.
    package var isPartial: Bool { heaps.contains(where: \.isPartial) }

    /// Looks at the letters.
    /// - Throws: `PortFault`, `OperationFault`.
    package init(_ parts: any ReadingParts, _ services: ServiceDirectory, drain: Drain) async throws {
        let queue = try await parts.queue()
        let known = try await KnownQueues(services, parts)
        var heaps = try await queue.depths(of: known.all.map(\.queue)).filter { $0.dead > 0 }
            .map { Heap(queue: $0.queue, service: known.service(of: $0.queue), total: $0.dead) }
            .sorted { ($1.total, $0.service) < ($0.total, $1.service) }
        var found: [String: Group] = [:]
        for (index, share) in DeadOverview.shares(of: heaps.map(\.total), limit: DeadOverview.limit).enumerated()
        where share > 0 {
            var heap = heaps[index]
            let round = DeadRound(queues: queue, names: [heap.queue], filter: DeadLetterFilter(), limit: share)
            var tally = DeadTally()
            try await round.run(into: &tally, drain: drain, progress: { _, _ in }) { _, letters in
                for (_, letter) in letters where DeadOverview.add(letter, of: heap, to: &found) { heap.counted += 1 }
                return letters.count
            }
            heaps[index] = heap
        }
        self.heaps = heaps
        groups = found.values.sorted { ($1.count, $0.service, $0.reason) < ($0.count, $1.service, $1.reason) }
    }

    /// How many letters of each queue are looked at. What a small queue does not need falls to the larger ones, so that
    /// none hides another.
    static func shares(of totals: [Int], limit: Int) -> [Int] {
        var (shares, rest) = (totals, limit)
        for (place, index) in totals.indices.sorted(by: { totals[$0] < totals[$1] }).enumerated() {
            shares[index] = min(totals[index], rest / (totals.count - place))
            rest -= shares[index]
        }
        return shares
    }

    /// - Returns: whether there is a group for it.
    private static func add(_ letter: DeadMessage, of heap: Heap, to groups: inout [String: Group]) -> Bool {
        let key = letter.queue + "\0" + letter.reason
        guard groups[key] != nil || groups.count < groupLimit else { return false }
        var group =
            groups[key]
            ?? Group(queue: letter.queue, service: heap.service, reason: letter.reason, count: 0, examples: [])
        group.count += 1
        if group.examples.count < exampleLimit { group.examples.append(letter) }
        groups[key] = group
        return true
    }
}
