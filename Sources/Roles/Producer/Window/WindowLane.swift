import Foundation
import Model
import Pipeline
import Waiting

/// How far one group of one queue has come.
struct WindowCursor {
    var mark: SubmissionMark
    /// Images that come next.
    var buffer: ArraySlice<Image> = []
}

/// The jobs of one queue: groups that take turns, and what is not in the queue yet.
struct WindowLane {
    private static let shortestWait = Duration.milliseconds(100)
    private static let longestWait = Duration.seconds(5)

    let target: Target
    let window: Int
    let limit: Int?
    var cursors: [WindowCursor]
    /// Whose turn it is.
    private var turn = 0
    /// Jobs that are claimed, and not known to be in the queue.
    private(set) var open: [Message] = []
    /// Jobs that an earlier run may have submitted; nil: it has not been asked yet which there are.
    var doubts: SubmissionDoubts?
    /// Jobs that an earlier run has not submitted, although it had claimed them.
    var missed: [Message] = []
    private var backOff: BackOff
    private(set) var fault: PortFault?
    private(set) var due = Date.distantPast
    private var jobs = 0
    private(set) var waiting = 0
    /// Since when the number of waiting jobs has not become smaller.
    private var still: Date?
    private var stillSeconds = 0.0

    init(_ target: Target, _ options: WindowOptions, marks: [SubmissionMark], randomness: @escaping Randomness) {
        self.target = target
        window = options.window
        limit = options.limit
        cursors = marks.map { WindowCursor(mark: $0) }
        backOff = BackOff(base: WindowLane.shortestWait, limit: WindowLane.longestWait, randomness: randomness)
        doubts = marks.allSatisfy(\.doubts.isEmpty) ? SubmissionDoubts([], since: .distantPast) : nil
    }

    // MARK: How far it is

    var images: Int { cursors.reduce(0) { $0 + $1.mark.images } }
    /// How many more images the limit lets pass.
    private var allowance: Int { limit.map { max(0, $0 - images) } ?? .max }
    private var isAtEnd: Bool { allowance == 0 || cursors.allSatisfy { $0.mark.isOver && $0.buffer.isEmpty } }
    private var isSettled: Bool { doubts?.jobs.isEmpty == true && missed.isEmpty }
    var isOver: Bool { isAtEnd && isSettled && open.isEmpty }

    var standing: LaneStanding {
        LaneStanding(
            target: target, jobs: jobs, images: images - open.count - missed.count, waiting: waiting,
            doubtful: doubts?.jobs.count ?? 0, stillSeconds: stillSeconds, isOver: isOver, fault: fault?.message)
    }

    mutating func saw(_ depth: QueueDepth, at now: Date) {
        let isFull = room(depth.waiting) == 0
        if depth.waiting < waiting || !isFull { still = nil }
        if isFull, still == nil { still = now }
        stillSeconds = still.map { max(0, now.timeIntervalSince($0)) } ?? 0
        waiting = depth.waiting
    }

    // MARK: Filling

    /// How many jobs to submit when so many wait. A quarter of the window is submitted at once, so that a queue that
    /// empties slowly does not get them one by one.
    private func room(_ waiting: Int) -> Int {
        let room = window - waiting
        return room >= max(1, window / 4) ? room : 0
    }

    /// Whether it is its turn: it has nothing open, and its queue has room.
    func wants(at now: Date) -> Bool { open.isEmpty && due <= now && room(waiting) > 0 && !(isAtEnd && missed.isEmpty) }

    /// The next jobs, of each group in its turn. What they are of is claimed from then on.
    /// - Parameters:
    ///   - most: at most so many.
    ///   - read: the next images of a cursor.
    mutating func fill(
        upTo most: Int, _ message: (SubmissionMark, Image) -> Message,
        read: (SubmissionMark) async throws -> [Image]?
    ) async throws {
        assert(open.isEmpty, "what is open goes first")
        var left = min(room(waiting), most)
        let late = missed.prefix(left)
        missed.removeFirst(late.count)
        open += late
        left = min(left - late.count, allowance)
        let share = max(1, left / max(1, cursors.count { !$0.mark.isOver || !$0.buffer.isEmpty }))
        var idle = 0
        while left > 0, idle < cursors.count {
            let place = turn
            if cursors[place].buffer.isEmpty, !cursors[place].mark.isOver {
                guard let page = try await read(cursors[place].mark) else { return }
                cursors[place].buffer = page[...]
                cursors[place].mark.isOver = page.isEmpty
            }
            turn = (turn + 1) % cursors.count
            let images = cursors[place].buffer.prefix(min(share, left))
            guard let last = images.last else {
                idle += 1
                continue
            }
            idle = 0
            left -= images.count
            cursors[place].buffer.removeFirst(images.count)
            open += images.map { message(cursors[place].mark, $0) }
            cursors[place].mark.claimed = last.id
            cursors[place].mark.images += images.count
        }
        if allowance == 0 { for place in cursors.indices { cursors[place].mark.isOver = true } }
    }

    // MARK: Sending

    /// What to offer now.
    func ready(at now: Date) -> [Message] { due <= now ? open : [] }

    /// Notes that the queue has taken what was open, except for the messages at some places.
    mutating func took(but left: [Int], fault: PortFault?, at now: Date) {
        let sent = open.count
        open = left.map { open[$0] }
        jobs += sent - open.count
        waiting += sent - open.count
        self.fault = open.isEmpty ? nil : fault
        if self.fault == nil {
            (due, still) = (.distantPast, nil)
            backOff.reset()
        } else {
            if open.count < sent { backOff.reset() }
            due = now.addingTimeInterval(backOff.next().seconds)
        }
        guard open.isEmpty else { return }
        for place in cursors.indices {
            cursors[place].mark.after = cursors[place].mark.claimed
            if isSettled { cursors[place].mark.doubts = [] }
        }
    }

    /// To be called when what was in doubt is settled and nothing of it has to be submitted.
    mutating func settled() {
        guard isSettled, open.isEmpty else { return }
        for place in cursors.indices { cursors[place].mark.doubts = [] }
    }

    /// The wall clock may have been set back.
    mutating func wake(within wait: Duration, at now: Date) {
        if due > now.addingTimeInterval(wait.seconds) { due = now.addingTimeInterval(wait.seconds) }
    }
}
