import Foundation
import Model
import Pipeline
import Waiting

/// How far a submission has come, for each target. A queue that takes nothing falls behind, and the others go on. A
/// queue that has fallen behind reads the images again from where it stopped, so that at most one page of its jobs is
/// held.
struct Lanes {
    /// What one batch has changed.
    struct News {
        /// The queues that have just stopped taking jobs, by cause.
        var stuck: [String: [String]] = [:]
        var freed: [String] = []
    }

    /// A job that is not in its queue yet.
    struct Open {
        var lane: Int
        /// How many images come before its own.
        var place: Int
        var message: Message
    }

    private struct Lane {
        let queue: String
        /// The last image that it has read.
        var after: ImageID = 0
        /// How many images it has read.
        var images = 0
        var open: [Open] = []
        var backOff: BackOff
        /// Why its queue takes nothing, and when it is tried again.
        var fault: PortFault?
        var due = Date.distantPast
        /// How many jobs the next try offers, so that a queue that empties slowly does not get all of them again and
        /// again.
        var share = Int.max
    }

    /// How many jobs are offered to a queue that took none before.
    private static let smallestShare = 16
    private static let shortestWait = Duration.milliseconds(100)
    static let longestWait = Duration.seconds(5)

    private var lanes: [Lane]
    /// The last image that any lane has read, and how many images there are up to it.
    private var front: (last: ImageID, images: Int) = (0, 0)
    private var isAtEnd = false
    private var jobs = 0

    init(_ targets: [Target], randomness: @escaping Randomness) {
        lanes = targets.map {
            Lane(
                queue: $0.queue,
                backOff: BackOff(base: Lanes.shortestWait, limit: Lanes.longestWait, randomness: randomness))
        }
    }

    var counts: ProducerCounts {
        var counts = ProducerCounts()
        counts.images = lanes.map { $0.open.first?.place ?? $0.images }.min() ?? 0
        counts.jobs = jobs
        counts.lastImage = front.last
        counts.waiting = lanes.compactMap { lane in
            lane.fault.map { WaitingQueue(queue: lane.queue, jobs: lane.open.count, cause: $0.description) }
        }.sorted { $0.queue < $1.queue }
        return counts
    }

    // MARK: Reading

    /// The lanes that read next: among those with nothing left to send, the ones that are furthest behind.
    private func readers(_ limit: Int?) -> [Int] {
        let idle = lanes.indices.filter { lanes[$0].open.isEmpty && !isOver(lanes[$0], limit) }
        let last = idle.map { lanes[$0].after }.min()
        return idle.filter { lanes[$0].after == last }
    }

    private func isOver(_ lane: Lane, _ limit: Int?) -> Bool {
        lane.after == front.last && (isAtEnd || front.images >= limit ?? .max)
    }

    func canRead(_ limit: Int?) -> Bool { !readers(limit).isEmpty }

    /// - Returns: the image after which to read, and how many images.
    func nextPage(of size: Int, _ limit: Int?) -> (after: ImageID, room: Int) {
        let after = readers(limit).first.map { lanes[$0].after } ?? front.last
        return (after, after == front.last ? min(size, (limit ?? .max) - front.images) : size)
    }

    /// - Parameter jobs: the jobs of an image, by target.
    mutating func add(_ page: [ListedImage], after: ImageID, jobs: (ListedImage) -> [Message?]) {
        let isFurthest = after == front.last
        // A lane that was behind reads what the others have read.
        let page = isFurthest ? page : page.filter { $0.image.id <= front.last }
        let readers = lanes.indices.filter { lanes[$0].open.isEmpty && lanes[$0].after == after }
        if isFurthest {
            isAtEnd = page.isEmpty
            front = (page.last?.image.id ?? front.last, front.images + page.count)
        }
        for (index, listed) in page.enumerated() {
            let messages = jobs(listed)
            assert(messages.count == lanes.count, "an image has a place for the job of each target")
            for reader in readers {
                guard let message = messages[reader] else { continue }
                lanes[reader].open.append(Open(lane: reader, place: lanes[reader].images + index, message: message))
            }
        }
        for reader in readers {
            lanes[reader].after = page.last?.image.id ?? front.last
            // Images that have been answered meanwhile are not listed again.
            lanes[reader].images =
                lanes[reader].after == front.last ? front.images : lanes[reader].images + page.count
        }
    }

    // MARK: Sending

    /// Whether there is something to send now.
    func isReady(at now: Date) -> Bool { lanes.contains { !$0.open.isEmpty && $0.due <= now } }

    /// When the next queue is tried again that takes nothing.
    var nextTry: Date? { lanes.filter { !$0.open.isEmpty }.map(\.due).min() }

    /// Makes the lanes due for which the caller has waited. The wall clock may have been set back during the wait.
    mutating func wake(dueBy date: Date) {
        for index in lanes.indices where lanes[index].due <= date { lanes[index].due = .distantPast }
    }

    /// The jobs to send now, image by image.
    func batch(upTo limit: Int, at now: Date) -> [Open] {
        let ready = lanes.filter { $0.due <= now }.flatMap { $0.open.prefix($0.share) }
        return Array(ready.sorted { ($0.place, $0.lane) < ($1.place, $1.lane) }.prefix(limit))
    }

    /// Notes that a batch was taken, except for some jobs.
    /// - Parameter isCancelled: whether a drain ended it, which says nothing about a queue.
    mutating func took(
        _ batch: [Open], but unpublished: [Unpublished], at now: Date, isCancelled: Bool = false
    ) -> News {
        var left: [Int: [Open]] = [:]
        var faults: [Int: PortFault] = [:]
        for refusal in unpublished {
            for place in refusal.places {
                left[batch[place].lane, default: []].append(batch[place])
                faults[batch[place].lane] = refusal.fault
            }
        }
        assert(
            Set(unpublished.flatMap(\.places)).count == unpublished.reduce(0) { $0 + $1.places.count },
            "a queue names a message that it has not taken once")
        jobs += batch.count - left.values.reduce(0) { $0 + $1.count }
        var notice = News()
        var due = now
        for lane in Set(batch.map(\.lane)) {
            let sent = batch.count { $0.lane == lane }
            let rest = (left[lane] ?? []).sorted { $0.place < $1.place }
            assert(rest.count <= sent, "no more is left of a batch than was sent")
            assert(sent <= lanes[lane].open.count, "what was sent was waiting in its lane")
            // They were the first of the lane.
            lanes[lane].open.replaceSubrange(..<sent, with: rest)
            guard !isCancelled else { continue }
            let queue = lanes[lane].queue
            guard let fault = faults[lane] else {
                if lanes[lane].fault != nil { notice.freed.append(queue) }
                (lanes[lane].fault, lanes[lane].due, lanes[lane].share) = (nil, .distantPast, .max)
                lanes[lane].backOff.reset()
                continue
            }
            if lanes[lane].fault == nil { notice.stuck[fault.description, default: []].append(queue) }
            lanes[lane].fault = fault
            if rest.count < sent { lanes[lane].backOff.reset() }
            lanes[lane].share = max(Lanes.smallestShare, 2 * (sent - rest.count))
            due = max(due, now.addingTimeInterval(lanes[lane].backOff.next().seconds))
        }
        // Lanes that wait for the same reason are tried together.
        for lane in faults.keys { lanes[lane].due = due }
        return notice
    }
}
