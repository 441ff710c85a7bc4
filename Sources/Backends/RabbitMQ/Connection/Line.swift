@preconcurrency import Dispatch
import Glibc
import Logging
import Pipeline

/// What one connection to the broker consists of while it is up, and how it is opened again. It belongs to one actor.
final class Line {
    let options: RabbitMQOptions
    let name: String
    let time: any Timekeeper
    let log: Logger
    private(set) var link: Link?
    /// Why a request could not be sent; the connection is given up as soon as nobody works with it.
    private(set) var breakage: PortFault?
    /// Why it is down.
    var fault: PortFault?
    var isEnded = false
    var reopening: Task<Void, Never>?
    var farewell: CheckedContinuation<Void, Never>?
    private let queue: DispatchQueue
    private var reader: (any DispatchSourceRead)?
    private var writer: (any DispatchSourceWrite)?
    private var timer: (any DispatchSourceTimer)?
    private var watchdog: Watchdog?

    init(_ options: RabbitMQOptions, role: String, queue: DispatchQueue, time: any Timekeeper, log: Logger) {
        self.options = options
        name = "\(options.connectionName) (\(role))"
        self.queue = queue
        self.time = time
        self.log = log
    }

    deinit { detach() }

    /// - Parameters:
    ///   - onReadable: called on the queue when something has come.
    ///   - onTick: called on the queue once a second.
    func attach(_ link: Link, onReadable: @escaping @Sendable () -> Void, onTick: @escaping @Sendable () -> Void) {
        self.link = link
        (breakage, fault) = (nil, nil)
        // A source may be heard of after its cancellation: its descriptor is its own and lives until then.
        let descriptor = dup(link.descriptor)
        let reader = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        reader.setEventHandler(handler: onReadable)
        reader.setCancelHandler { Glibc.close(descriptor) }
        reader.resume()
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(100))
        timer.setEventHandler(handler: onTick)
        timer.resume()
        (self.reader, self.timer) = (reader, timer)
        watchdog = Watchdog(socket: link.descriptor, limit: options.heartbeat * 2)
        // What came together with the login is in the library's buffer already.
        queue.async(execute: onReadable)
    }

    func detach() {
        reader?.cancel()
        writer?.cancel()
        timer?.cancel()
        (link, reader, writer, timer, watchdog) = (nil, nil, nil, nil, nil)
    }

    func sign() { watchdog?.sign() }

    /// Sends a request, if the connection is up.
    /// - Returns: whether it was sent; if not, the connection is down or will be found so.
    @discardableResult
    func send(_ request: (Link) throws -> Void) -> Bool {
        guard let link, breakage == nil else { return false }
        do {
            try request(link)
            return true
        } catch {
            breakage =
                error as? PortFault ?? PortFault(.transient, place: link.place, message: "cannot send: \(error)")
            // The reader wakes: a broken socket is readable.
            shutdown(link.descriptor, Int32(SHUT_RDWR))
            return false
        }
    }

    /// Calls once, on the queue, when the socket takes bytes again.
    func whenWritable(_ action: @escaping @Sendable () -> Void) {
        guard let link, writer == nil else { return }
        let descriptor = dup(link.descriptor)
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

extension Line {
    /// A fault of this connection.
    func fault(_ message: String, _ kind: PortFault.Kind = .transient) -> PortFault {
        PortFault(kind, place: link?.place ?? options.place, message: message)
    }

    /// What it means that the broker refused something about a queue.
    func fault(over queue: String, _ refusal: Refusal) -> PortFault {
        guard refusal.code == Refusal.accessRefused else { return fault("\(queue): the broker said \(refusal.text)") }
        return fault(
            "\(queue): the broker said \(refusal.text): the user \(options.user) needs more rights: "
                + "rabbitmqctl set_permissions", .unusable)
    }
}
