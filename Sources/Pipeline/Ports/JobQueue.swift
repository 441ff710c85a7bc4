import Foundation
import Model

/// A message that is to be published.
public struct Message: Sendable, Equatable {
    /// The name of the queue.
    public var queue: String
    /// JSON, UTF-8.
    public var body: [UInt8]
    /// The message's headers, by name.
    public var headers: [String: String]
    /// The image about which it is a trigger: one such message to a queue says as much as several. nil if it is none.
    public var triggers: ImageID?
    /// The service or role whose news a trigger brings.
    public var source: String?

    package init(
        queue: String, body: [UInt8], headers: [String: String] = [:], triggers: ImageID? = nil, source: String? = nil
    ) {
        self.queue = queue
        self.body = body
        self.headers = headers
        self.triggers = triggers
        self.source = source
    }
}

/// Identifies a delivery for its verdict. It belongs to the consumer that got the delivery. A receipt of a lost
/// connection or lease is dropped, and the redelivery does no harm.
public struct Receipt: Sendable, Hashable {
    /// The connection, or the lease holder, of the delivery.
    public var epoch: Int64
    /// The delivery within that connection or lease.
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
    /// Whether it was delivered before and never settled.
    public var redelivered: Bool
    /// Identifies the delivery for its verdict.
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
    /// The id of the worker that buried it, at most 50 characters.
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

/// Messages that were offered and that a queue has not taken.
public struct Unpublished: Sendable {
    /// Their places among the offered messages, ascending.
    public var places: [Int]
    /// Why they are not known to be safe.
    public var fault: PortFault

    package init(places: [Int], fault: PortFault) {
        self.places = places
        self.fault = fault
    }
}

/// Queues of jobs and triggers, with at-least-once delivery.
public protocol JobQueue: Sendable {
    /// Offers every message once. Each queue is separate: a queue that takes nothing does not hold up the others.
    ///
    /// Messages that are not in the answer are safe in their queue. Messages in the answer may be offered again, alone.
    /// They may be in their queue all the same, so offering again may duplicate a message but never loses one. If its
    /// task is cancelled, this returns soon, with everything that is not known to be safe by then.
    /// - Returns: the messages that are not known to be safe, by cause.
    func offer(_ messages: [Message]) async -> [Unpublished]

    /// Starts consuming a queue.
    /// - Parameter prefetch: how many deliveries may be unsettled at once.
    /// - Throws: `PortFault`.
    func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer
}

extension JobQueue {
    /// Offers the messages once, and returns when all of them are safe. To try again with only the messages that are
    /// left, call `offer` instead.
    /// - Throws: `PortFault`, the gravest one if there are several. What was taken stays taken. `CancellationError`.
    public func publish(_ messages: [Message]) async throws {
        guard let fault = await offer(messages).gravest else { return }
        try Task.checkCancellation()
        throw fault
    }
}

extension [Unpublished] {
    /// The answer of a queue that takes either all messages or none.
    package static func all(of messages: [Message], _ error: any Error, place: String) -> [Unpublished] {
        let fault = error as? PortFault ?? PortFault(.transient, place: place, message: "\(error)")
        return messages.isEmpty ? [] : [Unpublished(places: messages.indices.map { $0 }, fault: fault)]
    }

    /// The fault that leaves the least hope.
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

/// A consumer of one queue. A delivery is settled when it is acknowledged, given back or buried. Until then it is
/// leased to this consumer, and if the process dies it comes again (redelivered).
public protocol JobConsumer: Sendable {
    /// Waits for at least one delivery and returns up to `limit` of those that are ready.
    /// - Throws: `PortFault`; `CancellationError` when its task is cancelled.
    func next(upTo limit: Int) async throws -> [Delivery]

    /// Changes how many deliveries may be unsettled at once. Deliveries beyond the new number stay.
    func limit(prefetch: Int) async throws

    /// Removes the messages for good.
    func acknowledge(_ receipts: [Receipt]) async throws

    /// Makes the messages available again, to any consumer, after a delay if the queue can delay. If a queue counts
    /// returns, and drops messages that come back too often, this does not add to that count. After an error it may be
    /// repeated.
    func giveBack(_ receipts: [Receipt], after delay: Duration) async throws

    /// Moves the messages to `<queue>.dead`. Each original is removed only when its dead letter is safe. After an error
    /// it may be repeated: messages that were moved are left alone.
    func bury(_ dead: [(receipt: Receipt, letter: DeadLetter)]) async throws

    /// Gives back deliveries that were prefetched and not yet handed out. `next` resumes.
    func pause() async throws

    /// Gives back everything that is unsettled, and ends. `next` must not be called again.
    func close() async
}

/// How full a queue is.
public struct QueueDepth: Sendable, Equatable {
    /// The name of the queue.
    public var queue: String
    /// Messages that are ready or delayed.
    public var waiting: Int
    /// Messages leased to a consumer. nil if the queue cannot tell (AMQP cannot).
    public var inFlight: Int?
    /// Messages leased to consumers of this process, if the queue cannot tell `inFlight`.
    public var held: Int
    /// Messages in `<queue>.dead`.
    public var dead: Int
    /// How many consumers the queue has now, if it can tell. A consumer that has stopped taking may still hold
    /// messages.
    public var consumers: Int?

    /// Leased messages, as far as this process knows.
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
    /// Creates the queues that are missing. Others are left as they are.
    func declare(_ queues: [String]) async throws

    /// The depths of these queues, in this order. 0 for a queue that does not exist.
    func depths(of queues: [String]) async throws -> [QueueDepth]

    /// How many seconds the oldest waiting message of each queue has waited, in this order. nil if none waits, or if
    /// the queue cannot tell (AMQP can show a message only by lending it).
    func oldestAges(of queues: [String]) async throws -> [Double?]

    /// Why the broker, though in reach, takes no messages at present: it lacks memory or disk space. nil if it takes
    /// them.
    func blockade() async throws -> String?

    /// All queues that hold a message, sorted.
    func queueNames() async throws -> [String]

    /// Returns when something has changed since it returned last, if the queue tells, and after `limit` at the latest.
    /// - Throws: `CancellationError`.
    func awaitActivity(upTo limit: Duration) async throws
}

extension QueueAdministration {
    /// nil for each queue, by default: it cannot tell.
    public func oldestAges(of queues: [String]) async throws -> [Double?] { queues.map { _ in nil } }
}
