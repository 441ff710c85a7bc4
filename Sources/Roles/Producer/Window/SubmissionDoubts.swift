import Foundation
import Model
import Pipeline

/// Jobs that a producer had claimed when it was killed. Some of them are in the queue, with workers, or done; the others were
/// never submitted.
struct SubmissionDoubts {
    /// One of them.
    struct Doubtful {
        var key: JobKey
        var message: Message
    }

    /// How long a broker may need for what a process sent before it was killed.
    static let onItsWay = 2.0
    /// How long a worker may have a job in hand before its row is missed. One that takes longer has its job twice in the queue;
    /// it is one job all the same, with one row.
    static let inHand = 15.0

    private(set) var jobs: [Doubtful]
    private var since: Date

    init(_ jobs: [Doubtful], since: Date) {
        self.jobs = jobs
        self.since = since
    }

    mutating func keep(_ isKept: (Doubtful) -> Bool) { jobs.removeAll { !isKept($0) } }

    /// Whether what is neither in the queue nor done by now was not submitted.
    mutating func isDue(_ depth: QueueDepth, window: Int, at now: Date) -> Bool {
        // The clock was set back.
        if now < since { since = now }
        // More than this is somebody else's, and has to go first.
        guard depth.waiting <= 2 * window + 1000 else { return false }
        let isIdle = depth.inFlight.map { $0 == 0 } ?? (depth.consumers == 0)
        let patience =
            isIdle ? (depth.inFlight == nil ? SubmissionDoubts.onItsWay : 0) : SubmissionDoubts.inHand
        return now.timeIntervalSince(since) >= patience
    }
}
