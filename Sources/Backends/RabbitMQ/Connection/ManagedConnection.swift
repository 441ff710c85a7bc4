@preconcurrency import Dispatch
import Glibc
import Logging
import Pipeline
import Waiting

/// The parts of one connection to the broker while it is up, and how it is opened again. It belongs to one actor.
final class ManagedConnection {
    let options: RabbitMQOptions
    let name: String
    let time: any Timekeeper
    let log: Logger
    let events: EventStream
    private(set) var amqp: AMQPConnection?
    /// Why a request could not be sent. The connection is given up as soon as nobody works with it.
    private(set) var breakage: PortFault?
    /// Why it is down.
    var fault: PortFault?
    var isEnded = false
    var reopening: Task<Void, Never>?
    /// The wait between two tries to connect. It starts over only after a connection that has lasted for a while:
    /// otherwise one that the broker ends at once would be opened again at once.
    var backOff = BackOff(base: .milliseconds(200), limit: .seconds(15))
    private var since = ContinuousClock.now
    var farewell: CheckedContinuation<Void, Never>?
    private let queue: DispatchQueue
    private var reader: (any DispatchSourceRead)?
    private var writer: (any DispatchSourceWrite)?
    private var timer: (any DispatchSourceTimer)?
    private var watchdog: Watchdog?

    init(
        _ options: RabbitMQOptions, role: String, queue: DispatchQueue, time: any Timekeeper, log: Logger,
        events: EventStream
    ) {
        self.options = options
        name = "\(options.connectionName) (\(role))"
        self.queue = queue
        self.time = time
        self.log = log
        self.events = events.adding(EventLog(log))
    }

    deinit { detach() }

    /// - Parameters:
    ///   - onReadable: called on the queue when something has come.
    ///   - onTick: called on the queue once a second.
    func attach(
        _ amqp: AMQPConnection, onReadable: @escaping @Sendable () -> Void, onTick: @escaping @Sendable () -> Void
    ) {
        self.amqp = amqp
        (breakage, fault, since) = (nil, nil, .now)
        // A source may still fire after its cancellation. Its descriptor is its own, and lives until then.
        let descriptor = dup(amqp.descriptor)
        let reader = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        reader.setEventHandler(handler: onReadable)
        reader.setCancelHandler { Glibc.close(descriptor) }
        reader.resume()
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(100))
        timer.setEventHandler(handler: onTick)
        timer.resume()
        (self.reader, self.timer) = (reader, timer)
        watchdog = Watchdog(socket: amqp.descriptor, limit: options.heartbeat * 2)
        // What came together with the login is in the library's buffer already.
        queue.async(execute: onReadable)
    }

    func detach() {
        reader?.cancel()
        writer?.cancel()
        timer?.cancel()
        (amqp, reader, writer, timer, watchdog) = (nil, nil, nil, nil, nil)
    }

    /// Whether the connection has lasted so long that the next one may be opened at once.
    var isProven: Bool { since.duration(to: .now) >= options.proof }

    func sign() { watchdog?.sign() }

    /// Sends a request, if the connection is up.
    /// - Returns: whether it was sent. If not, the connection is down, or will be found to be.
    @discardableResult
    func send(_ request: (AMQPConnection) throws -> Void) -> Bool {
        guard let amqp, breakage == nil else { return false }
        do {
            try request(amqp)
            return true
        } catch {
            breakage =
                error as? PortFault ?? PortFault(.transient, place: amqp.place, message: "cannot send: \(error)")
            // This wakes the reader, since a broken socket is readable.
            shutdown(amqp.descriptor, Int32(SHUT_RDWR))
            return false
        }
    }

    /// Calls the action once, on the queue, when the socket takes bytes again.
    func whenWritable(_ action: @escaping @Sendable () -> Void) {
        guard let amqp, writer == nil else { return }
        let descriptor = dup(amqp.descriptor)
        let writer = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
        writer.setEventHandler(handler: action)
        writer.setCancelHandler { Glibc.close(descriptor) }
        writer.resume()
        self.writer = writer
    }

    func stopWaitingToWrite() {
        writer?.cancel()
        writer = nil
    }

    func after(_ delay: DispatchTimeInterval, _ action: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + delay, execute: action)
    }

    func sayFarewell() {
        farewell?.resume()
        farewell = nil
    }
}

extension ManagedConnection {
    /// A fault of this connection.
    func fault(_ message: String, _ kind: PortFault.Kind = .transient) -> PortFault {
        PortFault(kind, place: amqp?.place ?? options.place, message: message)
    }

    /// The fault if the broker refused something about a queue.
    func fault(over queue: String, _ refusal: Refusal) -> PortFault {
        let said = "\(queue): the broker said: \(refusal.text)"
        switch refusal.code {
        case Refusal.accessRefused: return fault("\(said)\(options.perhapsRights)", .unusable)
        case Refusal.preconditionFailed:
            return fault("\(said); perhaps a limit of the virtual host is reached (rabbitmqctl list_vhost_limits)")
        default: return fault(said)
        }
    }

    /// The fault if a queue cannot be consumed. nil if it may be tried again.
    func fault(consuming queue: String, _ refusal: Refusal) -> PortFault? {
        let said = "\(queue): the broker said: \(refusal.text)"
        switch refusal.code {
        case Refusal.accessRefused: return fault("\(said)\(options.perhapsRights)", .unusable)
        case Refusal.preconditionFailed, Refusal.notImplemented:
            return fault(
                "\(said); perhaps it is a stream, from which no jobs can be taken: delete it, and farm init makes a queue",
                .unusable)
        default: return nil
        }
    }
}

extension RabbitMQOptions {
    /// Farm's guess at what is behind a refused access. It follows the broker's words.
    var perhapsRights: String {
        "; perhaps the user \(user) lacks a right: rabbitmqctl set_permissions -p '\(virtualHost)' '\(user)' '.*' '.*' '.*'"
    }
}
