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
        /// How many of those that were looked at.
        package var count: Int
        /// The first ones, which are the oldest.
        package var examples: [DeadMessage]
    }

    /// Letters that are looked at: more would take long, and hold the broker up.
    private static let limit = 5000
    /// For each group.
    private static let exampleLimit = 3
    /// Any text may be a reason.
    private static let groupLimit = 200

    /// The largest first.
    package private(set) var groups: [Group] = []
    /// Letters that were looked at.
    package private(set) var seen = 0
    /// Letters that lie there.
    package private(set) var total = 0

    /// Whether there are more letters than were looked at.
    package var isPartial: Bool { seen < total }

    /// Looks at the letters.
    /// - Throws: `PortFault`, `OperationFault`.
    package init(_ parts: any ReadingParts, _ services: ServiceDirectory, drain: Drain) async throws {
        let queue = try await parts.queue()
        let known = try await KnownQueues(services, parts)
        let round = try await DeadLetterChoice(limit: DeadOverview.limit).round(queue, known, store: nil)
        total = try await round.total()
        guard total > 0 else { return }
        var found: [String: Group] = [:]
        var tally = DeadTally()
        try await round.run(into: &tally, drain: drain, progress: { _, _ in }) { _, letters in
            for (_, letter) in letters { DeadOverview.add(letter, to: &found, known) }
            return letters.count
        }
        seen = tally.seen
        groups = found.values.sorted { ($1.count, $0.service, $0.reason) < ($0.count, $1.service, $1.reason) }
    }

    private static func add(_ letter: DeadMessage, to groups: inout [String: Group], _ known: KnownQueues) {
        let key = letter.queue + "\0" + letter.reason
        guard groups[key] != nil || groups.count < groupLimit else { return }
        let service = known.service(of: letter.queue)
        var group =
            groups[key]
            ?? Group(queue: letter.queue, service: service, reason: letter.reason, count: 0, examples: [])
        group.count += 1
        if group.examples.count < exampleLimit { group.examples.append(letter) }
        groups[key] = group
    }
}
