import Foundation
import Model
import Pipeline

/// Decides which worker replaces which. A worker that begins replaces one worker of its service and machine that ended
/// before, and no other. So one killed worker of three is missed although the others live, but not once it was
/// restarted. As many workers have to start as died.
///
/// The new worker replaces the one that stopped last, if that was a moment ago, since then it was restarted. Otherwise
/// it replaces the one that fell silent last, and if there is none, one that stopped.
struct WorkerReplacement {
    /// From a worker's first known heartbeat to its last.
    struct Span: Equatable {
        var began: Date
        var last: StoredHeartbeat
    }

    private struct Post: Hashable {
        var serviceName: String
        var nodeHostname: String
    }

    /// The last heartbeats of workers that a live one has replaced, perhaps by way of others.
    let replaced: [StoredHeartbeat]

    /// - Parameter restart: a worker that begins within this many seconds after another one stopped is that one, restarted.
    init(_ spans: [Span], restart: TimeInterval, isLive: (StoredHeartbeat) -> Bool) {
        let posts = Dictionary(grouping: spans) { span in
            Post(serviceName: span.last.serviceName, nodeHostname: span.last.nodeHostname)
        }
        replaced = posts.values.flatMap { WorkerReplacement.replaced($0, restart, isLive) }
    }

    private static func replaced(
        _ spans: [Span], _ restart: TimeInterval, _ isLive: (StoredHeartbeat) -> Bool
    ) -> [StoredHeartbeat] {
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
            guard !vacant.isEmpty else { continue }
            let restarted = vacant.lastIndex {
                spans[$0].last.isStopping && span.began.timeIntervalSince(spans[$0].last.timestamp) <= restart
            }
            let place = restarted ?? vacant.lastIndex { !spans[$0].last.isStopping } ?? vacant.count - 1
            successors[vacant.remove(at: place)] = index
        }
        // A successor begins later, so it has been decided already.
        for (index, successor) in successors.sorted(by: { $0.key > $1.key }) where isHeld[successor] {
            isHeld[index] = true
        }
        return spans.indices.filter { isHeld[$0] && successors[$0] != nil }.map { spans[$0].last }
    }
}
