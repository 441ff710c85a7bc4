import Logging
import Pipeline
import Synchronization

/// The queues of a RabbitMQ broker: two connections, one to publish and one to consume, each kept open by its owner.
///
/// A connection that is lost is opened again, on the next host if need be; publishing and consuming go on by themselves.
/// Messages of which it is not known whether the broker has them are published again: at least once.
public final class RabbitMQQueue: JobQueue, QueueAdministration, QueueInspection, Sendable {
    let subscriber: Subscriber
    let publisher: Publisher
    let time: any Timekeeper
    private let options: RabbitMQOptions
    private let log: Logger
    /// Queues that are known to exist, and those that were asked for.
    private let names = Mutex<(existing: Set<String>, asked: Set<String>)>(([], []))

    /// Connects.
    /// - Throws: `PortFault`: `unusable` for a wrong password, no such virtual host, no TLS; `transient` when no host can be
    ///   reached.
    public init(_ options: RabbitMQOptions, time: any Timekeeper, log: Logger) async throws {
        subscriber = Subscriber(options, time: time, log: log)
        publisher = Publisher(options, time: time, log: log)
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

    /// Gives back what is unsettled and disconnects, after all that was acknowledged has reached the broker.
    public func close() async {
        async let publishing: Void = publisher.disconnect()
        await subscriber.close()
        await publishing
    }

    /// Ends the connections as the end of the process would.
    func abandon() async {
        await publisher.abandon()
        await subscriber.abandon()
    }

    // MARK: Jobs

    /// Returns when the broker has confirmed all. A queue that is missing is declared; one that was deleted meanwhile, too.
    public func publish(_ messages: [Message]) async throws {
        guard !messages.isEmpty else { return }
        for message in messages where !HeaderTable.fits(message.headers) {
            throw PortFault(
                .refused, place: options.place,
                message:
                    "\(message.queue): headers of more than \(HeaderTable.limit) bytes, or a name of none or over 255")
        }
        let queues = Set(messages.map(\.queue))
        try await declare(names.withLock { queues.subtracting($0.existing) }.sorted())
        var returned = try await publisher.publish(messages)
        guard !returned.isEmpty else { return }
        let gone = Set(returned.map(\.queue))
        names.withLock { $0.existing.subtract(gone) }
        try await declare(gone.sorted())
        returned = try await publisher.publish(returned)
        guard let first = returned.first else { return }
        throw PortFault(
            .transient, place: options.place,
            message: "\(first.queue): the broker returned \(returned.count) messages: the queue was deleted")
    }

    /// Takes nothing before `next` is called.
    public func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await declare([queue])
        let channel = try await subscriber.subscribe(queue, prefetch: prefetch)
        return RabbitMQConsumer(queue: queue, channel: channel, broker: self)
    }

    // MARK: Administration

    /// Makes the queues that are missing, and those of their dead letters, durable, of the type that the options name; others
    /// are used as they are.
    public func declare(_ queues: [String]) async throws {
        for queue in queues {
            try check(queue)
            try await subscriber.declare(queue)
            // To ask for a queue that is missing is an error in the broker's log, each time.
            if !queue.hasSuffix(".dead") { try await subscriber.declare(queue + ".dead") }
            names.withLock { names in
                names.existing.insert(queue)
                names.asked.insert(queue)
            }
        }
    }

    /// The messages that are ready, as the broker counts them; of those that are leased it tells nothing, so that only this
    /// process's own are known.
    public func depths(of queues: [String]) async throws -> [QueueDepth] {
        var depths: [QueueDepth] = []
        for queue in queues {
            try check(queue)
            let waiting = try await subscriber.messages(in: queue) ?? 0
            let dead = try await subscriber.messages(in: queue + ".dead") ?? 0
            let held = await subscriber.held(queue)
            depths.append(QueueDepth(queue: queue, waiting: waiting, inFlight: nil, held: held, dead: dead))
            names.withLock { _ = $0.asked.insert(queue) }
        }
        return depths
    }

    /// Asks on a connection of its own.
    public func blockade() async throws -> String? { try await RabbitMQProbe.blockade(options) }

    /// AMQP cannot list queues: these are those that this process has declared or asked for, and that hold something.
    public func queueNames() async throws -> [String] {
        let asked = names.withLock { $0.asked.filter { !$0.hasSuffix(".dead") } }
        return try await depths(of: asked.sorted()).filter { $0.waiting > 0 || $0.dead > 0 }.map(\.queue)
    }

    // MARK: Inspection

    /// Opens a connection of its own for the pass, if there is such a queue.
    public func pass(through queue: String, _ part: QueuePart) async throws -> any QueuePass {
        try check(queue)
        let name = part == .dead ? queue + ".dead" : queue
        let sifter = Sifter(options, queue: name, time: time, log: log)
        if try await subscriber.messages(in: name) != nil { try await sifter.connect() }
        return RabbitMQPass(sifter: sifter, broker: self)
    }

    /// Drops all that is ready.
    public func purge(_ queue: String) async throws -> Int {
        try check(queue)
        return try await subscriber.purge(queue) ?? 0
    }

    /// With `.dead` it has to fit into AMQP's short string.
    private func check(_ queue: String) throws {
        guard 1...250 ~= queue.utf8.count || (queue.hasSuffix(".dead") && queue.utf8.count <= 255) else {
            throw PortFault(
                .refused, place: options.place, message: "a queue's name has 1 to 250 bytes: \(queue.prefix(300))")
        }
    }
}
