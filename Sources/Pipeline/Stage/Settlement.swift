import Foundation
import Logging
import Model
import Waiting

/// Carries out the verdicts of a stage: publishes the messages of each, then acknowledges, buries or gives back its
/// deliveries.
///
/// `insist` tries again what a queue does not take at once. Meanwhile other verdicts go ahead.
struct Settlement<Key: Sendable>: Sendable {
    /// A verdict that has not been carried out yet.
    struct Open: Sendable {
        /// nil if nothing was handled.
        var key: Key?
        var receipts: [Receipt]
        var fate: Verdict.Fate
        /// The messages that have still to be published.
        var messages: [Message]
        var since: Date
        var isDuplicate: Bool
        var isReplaced: Bool
        var origin: Origin

        init(_ key: Key?, _ receipts: [Receipt], _ verdict: Verdict, since: Date, origin: Origin) {
            (self.key, self.receipts, self.since, self.origin) = (key, receipts, since, origin)
            (fate, messages) = (verdict.fate, verdict.publish)
            (isDuplicate, isReplaced) = (verdict.isDuplicate, verdict.isReplaced)
        }

        var isBack: Bool { if case .back = fate { true } else { false } }
    }

    /// What the deliveries of one verdict are about, as far as that is known, and when they were taken.
    struct Origin: Sendable {
        var image: ImageID?
        var job: UUID?
        var taken: Date
    }

    /// What is left after one try.
    private struct Remainder {
        var open: [Open] = []
        var fault: PortFault?
    }

    let options: StageOptions
    let queue: any JobQueue
    let consumer: any JobConsumer
    /// Called with the keys whose verdicts have been carried out.
    let ended: @Sendable ([Key]) async throws -> Void
    /// Waits until the queue's fault is over, if it is one that does not pass by itself. Returns false if there is none
    /// to wait for.
    let isMended: @Sendable () async throws -> Bool
    private let held = Mailbox<(open: Open, fault: PortFault)>()

    init(
        _ options: StageOptions, queue: any JobQueue, consumer: any JobConsumer,
        ended: @escaping @Sendable ([Key]) async throws -> Void, isMended: @escaping @Sendable () async throws -> Bool
    ) {
        self.options = options
        self.queue = queue
        self.consumer = consumer
        self.ended = ended
        self.isMended = isMended
    }

    /// Tries once, and leaves the rest to `insist`.
    /// - Throws: `PortFault` for a fault that does not pass by itself, `CancellationError`.
    func begin(_ verdicts: [Open]) async throws {
        let rest = try await carryOut(verdicts)
        if let fault = rest.fault { held.append(rest.open.map { ($0, fault) }) }
    }

    /// Says that no more verdicts will come.
    func finish() { held.finish() }

    /// Tries again what a queue has not taken, until nothing is left and no more verdicts will come.
    ///
    /// Nothing is held for longer than the broker allows. After that time the fault is thrown, the role ends, and its
    /// deliveries go back.
    /// - Throws: `PortFault`, `CancellationError`.
    func insist() async throws {
        while case let new = await held.takeAll(), let first = new.first {
            let what = "settling jobs of \(options.queue)"
            options.log.warning("\(what) failed, trying again: \(first.fault)")
            var backOff = BackOff(base: .milliseconds(100), limit: .seconds(5), randomness: options.randomness)
            var remainder = Remainder(open: new.map(\.open), fault: first.fault)
            while let fault = remainder.fault, !remainder.open.isEmpty {
                try await wait(out: fault, of: remainder.open, &backOff)
                remainder = try await carryOut(remainder.open + held.takeReady().map(\.open))
            }
            options.log.notice("\(what) works again")
        }
    }

    private func wait(out fault: PortFault, of open: [Open], _ backOff: inout BackOff) async throws {
        if fault.kind == .unusable {
            guard try await isMended() else { throw fault }
        } else if let oldest = open.map(\.since).min(),
            options.time.now().timeIntervalSince(oldest) >= options.patience.seconds
        {
            throw fault
        }
        try await options.time.sleep(backOff.next())
    }

    // MARK: One try

    private func carryOut(_ verdicts: [Open]) async throws -> Remainder {
        assert(
            Set(verdicts.flatMap(\.receipts)).count == verdicts.reduce(0) { $0 + $1.receipts.count },
            "a delivery is settled once")
        var verdicts = verdicts
        var rest = Remainder(fault: try await publish(&verdicts))
        rest.open = verdicts.filter { !$0.messages.isEmpty }
        var done: [Open] = []
        var dead: [(open: Open, letter: DeadLetter)] = []
        var back: [Duration: [Open]] = [:]
        for open in verdicts where open.messages.isEmpty {
            switch open.fate {
            case .done: done.append(open)
            case .dead(let letter): dead.append((open, letter))
            case .back(let delay): back[delay, default: []].append(open)
            }
        }
        assert(
            done.count + dead.count + back.values.reduce(0) { $0 + $1.count } + rest.open.count == verdicts.count,
            "a verdict is carried out or left for later, and never both")
        try await attempt(done, &rest) { try await consumer.acknowledge(done.flatMap(\.receipts)) }
        for (delay, group) in back {
            try await attempt(group, &rest) {
                try await consumer.giveBack(group.flatMap(\.receipts), after: delay)
            }
        }
        try await attempt(dead.map(\.open), &rest) { try await bury(dead) }
        return rest
    }

    /// - Returns: the reason if something is left in `messages`.
    private func publish(_ verdicts: inout [Open]) async throws -> PortFault? {
        let offered = verdicts.indices.flatMap { index in verdicts[index].messages.map { (index, $0) } }
        guard !offered.isEmpty else { return nil }
        let unpublished = await queue.offer(offered.map(\.1))
        try Task.checkCancellation()
        let places = unpublished.flatMap(\.places)
        assert(Set(places).count == places.count, "a queue names a message that it has not taken once")
        assert(places.allSatisfy(offered.indices.contains), "a queue names only messages that it was offered")
        for index in verdicts.indices { verdicts[index].messages = [] }
        for place in places.sorted() {
            let (index, message) = offered[place]
            verdicts[index].messages.append(message)
        }
        guard let fault = unpublished.gravest else { return nil }
        guard fault.kind != .refused else { throw fault }
        return fault
    }

    private func bury(_ dead: [(open: Open, letter: DeadLetter)]) async throws {
        // The same job twice in one batch makes one dead letter.
        let twins = dead.flatMap { $0.open.receipts.dropFirst() }
        if !twins.isEmpty { try await consumer.acknowledge(twins) }
        try await consumer.bury(dead.flatMap { open, letter in open.receipts.prefix(1).map { ($0, letter) } })
    }

    private func attempt(_ group: [Open], _ rest: inout Remainder, _ action: () async throws -> Void) async throws {
        guard !group.isEmpty else { return }
        do { try await action() } catch let fault as PortFault where fault.kind != .refused {
            rest.open += group
            rest.fault = fault.kind == .unusable ? fault : rest.fault ?? fault
            return
        }
        tell(group)
        try await ended(group.compactMap(\.key))
    }

    // MARK: Telling

    /// Tells the events of verdicts that were all settled in the same way.
    private func tell(_ group: [Open]) {
        let now = options.time.now()
        var done = Settled(.success, count: 0, date: now)
        var duplicates = Settled(.duplicate, count: 0, date: now)
        var back = Settled(.givenBack, count: 0, date: now)
        for open in group {
            let duration = now.timeIntervalSince(open.origin.taken)
            switch open.fate {
            case .back: back.count += open.receipts.count
            case .done where open.isReplaced: back.count += open.receipts.count
            case .done where open.isDuplicate: duplicates.count += open.receipts.count
            case .done:
                // When a group has several deliveries of one job, the work was done once.
                done.count += 1
                done.durations.append(duration)
                duplicates.count += open.receipts.count - 1
            case .dead(let letter):
                options.events.tell(
                    .settled(
                        Settled(
                            .dead(letter), count: 1, date: now, durations: [duration], imageID: open.origin.image,
                            jobID: open.origin.job)))
                duplicates.count += open.receipts.count - 1
            }
        }
        for settled in [done, duplicates, back] where settled.count > 0 { options.events.tell(.settled(settled)) }
    }
}
