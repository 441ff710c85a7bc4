import Pipeline
import Waiting

/// One process's way to the queues.
struct BrokerQueue: JobQueue, QueueAdministration {
    let broker: Broker
    let process: SimulatedProcess

    func offer(_ messages: [Message]) async -> [Unpublished] {
        guard !messages.isEmpty else { return [] }
        guard broker.conditions.plan.plant != .publishWithoutConfirm else {
            hurry(messages)
            return []
        }
        do {
            while broker.conditions.lasts(.queueBlocked) { try await process.pass(.milliseconds(200)) }
            try await process.exchange(.queue, "publishing", lost: .publishLost, unconfirmed: .confirmLost) {
                broker.put(messages, by: process.name)
            }
            return []
        } catch { return .all(of: messages, error, place: Server.queue.rawValue) }
    }

    /// The planted bug: they are on their way, and nobody waits for their arrival.
    private func hurry(_ messages: [Message]) {
        let conditions = broker.conditions
        conditions.scheduler.after(conditions.dice.time(around: conditions.plan.queueLatency)) {
            guard process.isAlive, !conditions.lasts(.queueDown), !conditions.strikes(.publishLost, process.name) else {
                return
            }
            broker.put(messages, by: process.name)
        }
    }

    func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await process.travel(.queue)
        let (taker, bell) = broker.open(queue, prefetch: prefetch, process: process.number)
        return BrokerConsumer(broker: broker, process: process, taker: taker, bell: bell)
    }

    func declare(_ queues: [String]) async throws {}

    func depths(of queues: [String]) async throws -> [QueueDepth] {
        try await process.exchange(.queue, "asking for depths", lost: .takingFailed, unconfirmed: .takingFailed) {
            queues.map(broker.depth)
        }
    }

    func blockade() async throws -> String? {
        broker.conditions.lasts(.queueBlocked) ? "it is short of memory" : nil
    }

    func queueNames() async throws -> [String] { broker.queueNames }

    func awaitActivity(upTo limit: Duration) async throws { try await process.sleep(limit) }
}

// What operators do with single messages; the producer looks for jobs that it may have submitted.
extension BrokerQueue: QueueInspection {
    func pass(through queue: String, _ part: QueuePart) async throws -> any QueueBrowsing {
        BrokerPass(process: process, messages: broker.ready(in: queue))
    }

    func pass(throughDeadOf queue: String, from place: Int64) async throws -> any QueueBrowsing {
        BrokerPass(process: process, messages: [])
    }

    func purge(_ queue: String) async throws -> Int { 0 }
}

/// A look at what waits in a queue. Nothing is removed.
private actor BrokerPass: QueueBrowsing {
    private let process: SimulatedProcess
    private var messages: [Message]

    init(process: SimulatedProcess, messages: [Message]) {
        self.process = process
        self.messages = messages
    }

    func next() async throws -> [Delivery] {
        try await process.reach(.queue, "looking", .takingFailed)
        let page = messages.prefix(2)
        messages.removeFirst(page.count)
        return page.map { message in
            Delivery(
                body: message.body, headers: message.headers, redelivered: false, receipt: Receipt(epoch: 0, tag: 0))
        }
    }

    func remove(_ receipts: [Receipt]) async throws -> Int { 0 }
    func replace(_ replacements: [(receipt: Receipt, message: Message)]) async throws -> Int { 0 }
    func place(after receipt: Receipt) async -> Int64 { 0 }
    func close() async throws {}
}

/// One consumer of a process.
struct BrokerConsumer: JobConsumer {
    let broker: Broker
    let process: SimulatedProcess
    let taker: Int
    let bell: Mailbox<Void>

    private var conditions: Conditions { broker.conditions }
    /// Acknowledgements of a broker that pushes are not answered: one that is lost is not noticed.
    private var isUnanswered: Bool { conditions.plan.queuePushes }

    func next(upTo limit: Int) async throws -> [Delivery] {
        while true {
            try Task.checkCancellation()
            try await process.reach(.queue, "taking", .takingFailed)
            let deliveries = broker.take(taker, upTo: limit)
            if !deliveries.isEmpty {
                process.say("takes \(deliveries.map(\.line).joined(separator: ", "))")
                return deliveries
            }
            _ = await bell.takeAll()
        }
    }

    func limit(prefetch: Int) async throws {
        try await process.travel(.queue)
        broker.limit(taker, prefetch: prefetch)
    }

    func acknowledge(_ receipts: [Receipt]) async throws {
        process.say("acknowledges \(receipts.map(\.line))")
        try await settle(receipts.map { ($0, .gone) })
    }

    func giveBack(_ receipts: [Receipt], after delay: Duration) async throws {
        process.say("gives back \(receipts.map(\.line))")
        guard isUnanswered, delay > .zero else {
            return try await settle(receipts.map { ($0, .back(after: VirtualTime(delay))) })
        }
        // A broker that pushes cannot delay: copies go behind all others, and the originals only when those are safe.
        let contents = broker.contents(taker, receipts)
        let good = receipts.filter { contents[$0] != nil }
        guard !good.isEmpty else { return }
        try await process.exchange(.queue, "copying", lost: .publishLost, unconfirmed: .confirmLost) {
            broker.put(good.compactMap { contents[$0] }, by: process.name, areCopies: true)
        }
        try await settle(good.map { ($0, .gone) })
    }

    private func settle(_ fates: [(Receipt, Broker.Fate)]) async throws {
        guard isUnanswered else {
            return try await process.exchange(
                .queue, "settling", lost: .acknowledgeLost, unconfirmed: .acknowledgeUnconfirmed
            ) { broker.settle(taker, fates) }
        }
        try await process.travel(.queue)
        if conditions.lasts(.queueDown) || conditions.strikes(.acknowledgeLost, process.name) {
            return broker.lose(process: process.number)
        }
        broker.settle(taker, fates)
    }

    func bury(_ dead: [(receipt: Receipt, letter: DeadLetter)]) async throws {
        process.say("buries \(dead.map { "\($0.receipt.line) \($0.letter.reason)" })")
        guard isUnanswered else {
            return try await settle(dead.map { ($0.receipt, .dead($0.letter)) })
        }
        let contents = broker.contents(taker, dead.map(\.receipt))
        let good = dead.filter { contents[$0.receipt] != nil }
        guard !good.isEmpty else { return }
        try await process.exchange(.queue, "burying", lost: .publishLost, unconfirmed: .confirmLost) {
            broker.putDead(good.compactMap { dead in contents[dead.receipt].map { ($0, dead.letter) } })
        }
        try await settle(good.map { ($0.receipt, .gone) })
    }

    func pause() async throws {
        try await process.travel(.queue)
        broker.pause(taker)
    }

    func close() async {
        guard process.isAlive else { return }
        broker.close(taker)
    }
}

extension Delivery {
    /// For the trace.
    fileprivate var line: String {
        "\(receipt.line) \(redelivered ? "again " : "")\(String(decoding: body.prefix(60), as: UTF8.self))"
    }
}

extension Receipt {
    fileprivate var line: String { "\(epoch).\(tag)" }
}
