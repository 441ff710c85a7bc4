import Foundation

/// Who has taken whose place: a worker that begins takes that of the one of its service and host that ended last, and of no
/// other. So of three workers a killed one is missed although the others live, and one that was started anew is not.
struct Succession {
    /// From a worker's first known heartbeat to its last.
    struct Span: Equatable {
        var began: Date
        var last: StoredHeartbeat
    }

    private struct Post: Hashable {
        var serviceName: String
        var nodeHostname: String
    }

    /// Last heartbeats of those whose place, or whose successor's and so on, one holds who lives.
    let replaced: [StoredHeartbeat]

    init(_ spans: [Span], isLive: (StoredHeartbeat) -> Bool) {
        let posts = Dictionary(grouping: spans) { span in
            Post(serviceName: span.last.serviceName, nodeHostname: span.last.nodeHostname)
        }
        replaced = posts.values.flatMap { Succession.replaced($0, isLive) }
    }

    private static func replaced(_ spans: [Span], _ isLive: (StoredHeartbeat) -> Bool) -> [StoredHeartbeat] {
        let spans = spans.sorted { $0.began < $1.began }
        var isHeld = spans.map { isLive($0.last) }
        var ended = spans.indices.filter { !isHeld[$0] }
            .sorted { spans[$0].last.timestamp < spans[$1].last.timestamp }[...]
        var vacant: [Int] = []
        var successors: [Int: Int] = [:]
        for (index, span) in spans.enumerated() {
            while let next = ended.first, spans[next].last.timestamp < span.began {
                vacant.append(ended.removeFirst())
            }
            if let place = vacant.popLast() { successors[place] = index }
        }
        // A successor begins later, so that it is settled before.
        for (index, successor) in successors.sorted(by: { $0.key > $1.key }) where isHeld[successor] {
            isHeld[index] = true
        }
        return spans.indices.filter { isHeld[$0] && successors[$0] != nil }.map { spans[$0].last }
    }
}
