import Foundation

/// A message that is to be published.
public struct Message: Sendable, Equatable {
    /// The queue it is of.
    public var queue: String
    /// JSON, UTF-8.
    public var body: [UInt8]
    /// The message's headers, by name.
    public var headers: [String: String]

    package init(queue: String, body: [UInt8], headers: [String: String] = [:]) {
        self.queue = queue
        self.body = body
        self.headers = headers
    }
}

/// Which delivery a verdict is about. It belongs to the consumer that delivered it: one of a connection or lease that is
/// gone is dropped, and the redelivery is absorbed.
public struct Receipt: Sendable, Hashable {
    /// The connection, or the lease holder, of the delivery.
    public var epoch: Int64
    /// The delivery within it.
    public var tag: Int64

    package init(epoch: Int64, tag: Int64) {
        self.epoch = epoch
        self.tag = tag
    }
}

/// A message as it was taken from a queue.
public struct Delivery: Sendable {
    /// JSON, UTF-8.
    public var body: [UInt8]
    /// The message's headers, by name.
    public var headers: [String: String]
    /// It was delivered before and never settled.
    public var redelivered: Bool
    /// What a verdict names it by.
    public var receipt: Receipt

    package init(body: [UInt8], headers: [String: String] = [:], redelivered: Bool, receipt: Receipt) {
        self.body = body
        self.headers = headers
        self.redelivered = redelivered
        self.receipt = receipt
    }
}

/// Why a delivery goes to `<queue>.dead`.
public struct DeadLetter: Sendable, Equatable {
    /// `bad_message`, `unknown_image`, `crashed_worker`, `refused`, or a `FailureKind`.
    public var reason: String
    /// One line for people, with the place and the cause; never a secret.
    public var message: String
    /// How often it was tried.
    public var tries: Int
    /// Who wrote it; at most 50 characters.
    public var workerID: String
    /// When the first try failed.
    public var firstFailure: Date

    package init(reason: String, message: String, tries: Int, workerID: String, firstFailure: Date) {
        self.reason = reason
        self.message = message
        self.tries = tries
        self.workerID = workerID
        self.firstFailure = firstFailure
    }
}

/// What a queue has not taken of the messages that were offered.
public struct Unpublished: Sendable {
    /// Their places among those that were offered, ascending.
    public var places: [Int]
    /// Why they are not known to be safe.
    public var fault: PortFault

    package init(places: [Int], fault: PortFault) {
        self.places = places
        self.fault = fault
    }
}

/// Queues of jobs and triggers: at-least-once delivery.
public protocol JobQueue: Sendable {
    /// Offers every message once, each queue by itself: one that takes nothing holds up no other.
    ///
    /// What is not in the answer is safely in its queue. What is in it may be offered again, without the rest; it may also be in
    /// its queue all the same, so this may duplicate, never lose. When its task is cancelled this returns soon, with all that is
    /// not known to be safe by then.
    /// - Returns: what is not known to be safe, by cause.
    func offer(_ messages: [Message]) async -> [Unpublished]

    /// Starts taking from a queue.
    /// - Parameter prefetch: how many deliveries may be unsettled at once.
    /// - Throws: `PortFault`.
    func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer
}

extension JobQueue {
    /// Offers the messages once and returns when all are safe. Who tries again calls `offer`, with what is left alone.
    /// - Throws: `PortFault`: the gravest of those met; what was taken stays taken. `CancellationError`.
    public func publish(_ messages: [Message]) async throws {
        guard let fault = await offer(messages).gravest else { return }
        try Task.checkCancellation()
        throw fault
    }
}

extension [Unpublished] {
    /// Of a queue that takes all or nothing.
    package static func all(of messages: [Message], _ error: any Error, place: String) -> [Unpublished] {
        let fault = error as? PortFault ?? PortFault(.transient, place: place, message: "\(error)")
        return messages.isEmpty ? [] : [Unpublished(places: messages.indices.map { $0 }, fault: fault)]
    }

    /// The fault that leaves the least to hope for.
    package var gravest: PortFault? {
        map(\.fault).max { $0.kind.gravity < $1.kind.gravity }
    }
}

extension PortFault.Kind {
    fileprivate var gravity: Int {
        switch self {
        case .transient: 0
        case .refused: 1
        case .unusable: 2
        }
    }
}

/// One taker of one queue. Settled means acknowledged, given back or buried; until then a delivery is leased to this
/// consumer, and comes again (redelivered) when its process dies.
public protocol JobConsumer: Sendable {
    /// Waits for at least one delivery and returns up to `limit` of those that are ready.
    /// - Throws: `PortFault`; `CancellationError` when its task is cancelled.
    func next(upTo limit: Int) async throws -> [Delivery]

    /// Removes the messages for good.
    func acknowledge(_ receipts: [Receipt]) async throws

    /// Makes the messages available again, to any consumer, after a delay where the queue can delay. Where a queue counts what
    /// is given back, and drops what comes too often, nothing is spent of that count. After an error it may be repeated.
    func giveBack(_ receipts: [Receipt], after delay: Duration) async throws

    /// Moves the messages to `<queue>.dead`; each original is gone only when its dead letter is safe. After an error it may be
    /// repeated: those that were moved are left alone.
    func bury(_ dead: [(receipt: Receipt, letter: DeadLetter)]) async throws

    /// Gives back what was fetched ahead and not yet handed out, until `next` is called again.
    func pause() async throws

    /// Gives back all that is unsettled and ends; `next` must not be called again.
    func close() async
}

/// How full a queue is.
public struct QueueDepth: Sendable, Equatable {
    /// The queue it is of.
    public var queue: String
    /// Ready or delayed.
    public var waiting: Int
    /// Leased to a consumer; nil where the queue cannot tell (AMQP does not).
    public var inFlight: Int?
    /// Leased to consumers of this process, where the queue cannot tell `inFlight`.
    public var held: Int
    /// In `<queue>.dead`.
    public var dead: Int
    /// How many consumers take from it at this moment, where the queue tells. One that has stopped taking may hold messages
    /// still.
    public var consumers: Int?

    /// Leased, as far as is known here.
    public var knownInFlight: Int { inFlight ?? held }

    package init(queue: String, waiting: Int, inFlight: Int?, held: Int = 0, dead: Int, consumers: Int? = nil) {
        self.queue = queue
        self.waiting = waiting
        self.inFlight = inFlight
        self.held = held
        self.dead = dead
        self.consumers = consumers
    }
}

/// What an operator does with queues.
public protocol QueueAdministration: Sendable {
    /// Makes the queues that are missing; others are left as they are.
    func declare(_ queues: [String]) async throws

    /// The depths of these queues, in this order; 0 for one that does not exist.
    func depths(of queues: [String]) async throws -> [QueueDepth]

    /// How many seconds the oldest message of each of these queues that waits has done so, in this order; nil where none
    /// waits, or the queue cannot tell (AMQP shows a message only by lending it).
    func oldestAges(of queues: [String]) async throws -> [Double?]

    /// Why messages are not taken at present, though the queue is in reach: it is short of memory or disk. nil when they are.
    func blockade() async throws -> String?

    /// All queues that hold something, sorted.
    func queueNames() async throws -> [String]
}

extension QueueAdministration {
    /// Of a queue that cannot tell.
    public func oldestAges(of queues: [String]) async throws -> [Double?] { queues.map { _ in nil } }
}
