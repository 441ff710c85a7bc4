import Foundation
import Model
import Pipeline
import Waiting

/// All queues of a submission in a window. Each goes on by itself.
struct WindowRound {
    /// What an offer has changed.
    struct News {
        var taken = 0
        var stuck: [(queue: String, fault: PortFault)] = []
        var freed: [String] = []
    }

    var lanes: [WindowLane]
    /// The last look, in the order of the lanes.
    var depths: [QueueDepth] = []
    /// What the store knows.
    private var stored: [SubmissionScope: SubmissionMark]

    init(_ options: WindowOptions, _ marks: [SubmissionMark], randomness: @escaping Randomness) {
        assert(marks.count == options.targets.count * options.groups.count, "each service has a mark for each group")
        let count = options.groups.count
        lanes = options.targets.enumerated().map { place, target in
            WindowLane(
                target, options, marks: Array(marks[(place * count)..<((place + 1) * count)]), randomness: randomness)
        }
        stored = Dictionary(marks.map { ($0.scope, $0) }) { first, _ in first }
    }

    var counts: WindowCounts {
        let groups = lanes.first?.cursors.indices ?? 0..<0
        return WindowCounts(
            lanes: lanes.map(\.standing),
            lastImages: groups.map { group in lanes.map { $0.cursors[group].mark.claimed }.max() ?? 0 },
            baseline: lanes.flatMap(\.cursors).map(\.mark.baseline).min() ?? 0)
    }

    /// What the store has to know before anything else happens.
    var changed: [SubmissionMark] {
        lanes.flatMap(\.cursors).map(\.mark).filter { stored[$0.scope] != $0 }
    }

    mutating func noted(_ marks: [SubmissionMark]) { for mark in marks { stored[mark.scope] = mark } }

    /// What to offer now, and where in each lane it is.
    func ready(at now: Date) -> (messages: [Message], places: [(lane: Int, place: Int)]) {
        var (messages, places): ([Message], [(lane: Int, place: Int)]) = ([], [])
        for lane in lanes.indices {
            for (place, message) in lanes[lane].ready(at: now).enumerated() {
                messages.append(message)
                places.append((lane, place))
            }
        }
        return (messages, places)
    }

    mutating func took(
        _ places: [(lane: Int, place: Int)], but unpublished: [Unpublished], at now: Date
    ) -> News {
        var (left, faults): ([Int: [Int]], [Int: PortFault]) = ([:], [:])
        for refusal in unpublished {
            for place in refusal.places {
                left[places[place].lane, default: []].append(places[place].place)
                faults[places[place].lane] = refusal.fault
            }
        }
        var news = News(taken: places.count - left.values.reduce(0) { $0 + $1.count })
        for lane in Set(places.map(\.lane)).sorted() {
            let before = lanes[lane].fault
            lanes[lane].took(but: (left[lane] ?? []).sorted(), fault: faults[lane], at: now)
            switch (before, lanes[lane].fault) {
            case (nil, let fault?): news.stuck.append((lanes[lane].target.queue, fault))
            case (.some, nil): news.freed.append(lanes[lane].target.queue)
            default: break
            }
        }
        return news
    }

    mutating func wake(within wait: Duration, at now: Date) {
        for place in lanes.indices { lanes[place].wake(within: wait, at: now) }
    }
}
