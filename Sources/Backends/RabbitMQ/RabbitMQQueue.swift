import Logging
import Pipeline
import Synchronization
import Waiting

/// The queues of a RabbitMQ broker. There are two connections, one to publish and one to consume, and each is kept open
/// by its owner.
///
/// A lost connection is opened again, on the next host if necessary, and publishing and consuming go on by themselves.
/// If it is not known whether the broker has a message, it is published again: at least once.
public final class RabbitMQQueue: JobQueue, QueueAdministration, QueueInspection, Sendable {
    let subscriber: Subscriber
    let publisher: Publisher
    let time: any Timekeeper
    private let options: RabbitMQOptions
    private let log: Logger
    /// Queues that are known to exist, and queues that were asked about.
    private let names = Mutex<(existing: Set<String>, asked: Set<String>)>(([], []))

    /// Connects.
    /// - Throws: `PortFault`: `unusable` for a wrong password, no such virtual host, or no TLS; `transient` if no host
    ///   can be reached.
    public init(_ options: RabbitMQOptions, time: any Timekeeper, log: Logger) async throws {
        publisher = Publisher(options, time: time, log: log)
        subscriber = Subscriber(options, publisher: publisher, time: time, log: log)
        self.time = time
        self.options = options
        self.log = log
        do {
            async let publishing: Void = publisher.connect()
            try await subscriber.connect()
            try await publishing
        } catch {
            await abandon()
            throw error
        }
    }

    /// Gives back what is unsettled, and disconnects when everything that was acknowledged has reached the broker.
    public func close() async {
        // The messages that were taken may have to be published again.
        await subscriber.close()
        await publisher.disconnect()
    }

    /// Ends the connections in the way in which the end of the process would.
    func abandon() async {
        await publisher.abandon()
        await subscriber.abandon()
    }

    // MARK: Jobs

    /// Offers each queue its messages. If a queue is missing, or was deleted meanwhile, it is declared.
    public func offer(_ messages: [Message]) async -> [Unpublished] {
        var refused: [Int: PortFault] = [:]
        for (place, message) in messages.enumerated() where !HeaderTable.fits(message.headers) {
            refused[place] = PortFault(
                .refused, place: options.place,
                message:
                    "\(message.queue): headers of more than \(HeaderTable.limit) bytes, or a name of none or over 255")
        }
        var open = messages.indices.filter { refused[$0] == nil }
        let known = names.withLock { $0.existing }
        open = await making(Set(messages.map(\.queue)).subtracting(known), for: open, of: messages, &refused)
        open = await send(open, of: messages, &refused)
        // Their queues have been deleted.
        let gone = Set(open.map { messages[$0].queue })
        names.withLock { $0.existing.subtract(gone) }
        open = await making(gone, for: open, of: messages, &refused)
        for place in await send(open, of: messages, &refused) {
            refused[place] = PortFault(
                .transient, place: options.place,
                message: "\(messages[place].queue): the broker returned a message: the queue was deleted")
        }
        return Dictionary(grouping: refused.keys) { refused[$0]?.description ?? "" }.values.compactMap { places in
            guard let first = places.first, let fault = refused[first] else { return nil }
            return Unpublished(places: places.sorted(), fault: fault)
        }
    }

    /// - Returns: the messages whose queues exist.
    private func making(
        _ queues: Set<String>, for open: [Int], of messages: [Message], _ refused: inout [Int: PortFault]
    ) async -> [Int] {
        var faults: [String: PortFault] = [:]
        for queue in queues.sorted() {
            do { try await declare([queue]) } catch { faults[queue] = fault(error) }
        }
        guard !faults.isEmpty else { return open }
        for place in open { refused[place] = refused[place] ?? faults[messages[place].queue] }
        return open.filter { refused[$0] == nil }
    }

    /// - Returns: the messages whose queues do not exist.
    private func send(_ open: [Int], of messages: [Message], _ refused: inout [Int: PortFault]) async -> [Int] {
        let answers = await publisher.publish(open.map { Parcel(messages[$0]) })
        var returned: [Int] = []
        for (place, answer) in answers {
            switch answer {
            case .returned: returned.append(open[place])
            case .fault(let fault): refused[open[place]] = fault
            }
        }
        return returned.sorted()
    }

    private func fault(_ error: any Error) -> PortFault {
        error as? PortFault ?? PortFault(.transient, place: options.place, message: "\(error)")
    }

    /// Takes nothing before `next` is called.
    public func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await declare([queue])
        let channel = try await subscriber.subscribe(queue, prefetch: prefetch)
        return RabbitMQConsumer(queue: queue, channel: channel, broker: self)
    }

    // MARK: Administration

    /// Creates the missing queues, and their queues for dead letters: durable, and of the type in the options. Existing
    /// queues are used as they are.
    public func declare(_ queues: [String]) async throws {
        for queue in queues {
            try check(queue)
            try await subscriber.declare(queue)
            // Asking about a missing queue is logged by the broker as an error, each time.
            if !queue.hasSuffix(".dead") { try await subscriber.declare(queue + ".dead") }
            names.withLock { names in
                names.existing.insert(queue)
                names.asked.insert(queue)
            }
        }
    }

    /// The messages that are ready, as the broker counts them. It says nothing about leased messages, so only those of
    /// this process are known.
    public func depths(of queues: [String]) async throws -> [QueueDepth] {
        var depths: [QueueDepth] = []
        for queue in queues {
            try check(queue)
            let seen = try await subscriber.look(at: queue)
            // AMQP has the same code for a deleted queue and for one whose node is down, and nobody must take the
            // second for an empty one. So a queue that is known to exist is declared again, which the broker refuses in
            // the second case.
            if seen == nil, names.withLock({ $0.existing.contains(queue) }) { try await declare([queue]) }
            let (waiting, consumers) = seen ?? (0, 0)
            let dead = try await subscriber.messages(in: queue + ".dead") ?? 0
            let held = await subscriber.held(queue)
            depths.append(
                QueueDepth(
                    queue: queue, waiting: waiting, inFlight: nil, held: held, dead: dead, consumers: consumers))
            names.withLock { _ = $0.asked.insert(queue) }
        }
        return depths
    }

    /// Asks on a connection of its own.
    public func blockade() async throws -> String? { try await RabbitMQProbe.blockade(options) }

    /// AMQP cannot list queues. These are the queues that this process has declared or asked about, and that hold a
    /// message.
    public func queueNames() async throws -> [String] {
        let asked = names.withLock { $0.asked.filter { !$0.hasSuffix(".dead") } }
        return try await depths(of: asked.sorted()).filter { $0.waiting > 0 || $0.dead > 0 }.map(\.queue)
    }

    /// AMQP tells nothing of a queue unless it is asked.
    public func awaitActivity(upTo limit: Duration) async throws { try await time.sleep(limit) }

    // MARK: Inspection

    /// Opens a separate connection for the pass, if the queue exists.
    public func pass(through queue: String, _ part: QueuePart) async throws -> any QueueBrowsing {
        try check(queue)
        return try await pass(throughMessagesOf: part == .dead ? queue + ".dead" : queue)
    }

    /// Opens a separate connection for the pass, if the queue exists. A broker shows messages from the beginning only:
    /// those before the place are taken and given back like the others.
    public func pass(throughDeadOf queue: String, from place: Int64) async throws -> any QueueBrowsing {
        try check(queue)
        return try await pass(throughMessagesOf: queue + ".dead", passing: Int(max(0, place)))
    }

    private func pass(throughMessagesOf name: String, passing passed: Int = 0) async throws -> RabbitMQBrowsing {
        let exists = try await subscriber.messages(in: name) != nil
        let countsReturns = exists ? await subscriber.countsReturns(name) : false
        let browser = QueueBrowser(
            options, queue: name, passing: passed, movesShown: countsReturns, time: time, log: log)
        if exists { try await browser.connect() }
        return RabbitMQBrowsing(queue: name, browser: browser, broker: self, countsReturns: countsReturns)
    }

    /// Drops all ready messages.
    public func purge(_ queue: String) async throws -> Int {
        try check(queue)
        return try await subscriber.purge(queue) ?? 0
    }

    /// With `.dead`, the name must fit into AMQP's short string.
    private func check(_ queue: String) throws {
        guard 1...250 ~= queue.utf8.count || (queue.hasSuffix(".dead") && queue.utf8.count <= 255) else {
            throw PortFault(
                .refused, place: options.place, message: "a queue's name has 1 to 250 bytes: \(queue.prefix(300))")
        }
    }
}
