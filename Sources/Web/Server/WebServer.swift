import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// One HTTP server of this process, by Hummingbird, with limits that keep clients from holding its memory, its connections
/// or its end.
public struct WebServer: Sendable {
    /// What clients may use up.
    public struct Limits: Sendable {
        /// Open at once. The last eighth of them is for connections on which something is asked: from there on, idle ones
        /// make room. It must stay well below the limit of open files.
        public var connections = 64
        /// How long a connection may say nothing between requests or within a request's head. No usual interval of scrapes:
        /// a connection that is closed in the moment of the next one costs the scraper a second try.
        public var idle = Duration.seconds(20)
        /// How long a reader may take nothing of its answer.
        public var stall = Duration.seconds(15)
        /// How long a request's body may take.
        public var body = Duration.seconds(30)
        /// How long answers that are under way keep the server from its end.
        public var ending = Duration.seconds(1)

        /// The limits of a server of metrics.
        public init() {}
    }

    /// The most bytes of a header field with its name, the most bytes of all fields, and the most fields.
    static let (headerField, headerList, headerCount) = (8 << 10, 16 << 10, 100)

    let host: String
    let port: Int
    let limits: Limits
    let responder: RouterResponder<Context>
    private(set) var log: Logger

    /// - Parameters:
    ///   - host: a name or address, an IPv6 one without brackets.
    ///   - port: 0 for one that the system chooses.
    init(host: String, port: Int, limits: Limits = Limits(), router: Router<Context>, log: Logger) {
        self.host = host
        self.port = port
        self.limits = limits
        responder = router.buildResponder()
        self.log = log
        // Of what is usual Hummingbird tells too much for a process whose main work is another.
        if log.logLevel > .debug { self.log.logLevel = .error }
    }

    /// Serves as long as `body` runs.
    /// - Parameter body: is given the port when the server listens.
    /// - Throws: `ListenFault` if it cannot listen, and what `body` throws.
    public func during<Value: Sendable>(_ body: (Int) async throws -> Value) async throws -> Value {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result: Result<Value, any Error>
        do { result = .success(try await serve(on: loops, body)) } catch { result = .failure(error) }
        // There is nothing to be done about threads that do not end.
        try? await loops.shutdownGracefully()
        return try result.get()
    }

    private func serve<Value: Sendable>(
        on loops: MultiThreadedEventLoopGroup, _ body: (Int) async throws -> Value
    ) async throws -> Value {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let service = service(on: loops) { listening.yield($0) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { listening.finish() }
                try await service.run()
            }
            guard let port = await ports.first(where: { _ in true }) else {
                do { try await group.next() } catch { throw ListenFault(error, host: host, port: port) }
                throw CancellationError()
            }
            let result: Result<Value, any Error>
            do { result = .success(try await body(port)) } catch { result = .failure(error) }
            await service.triggerGracefulShutdown()
            // That an answer was cut off at the end is no failure of the body.
            do { while try await group.next() != nil {} } catch { log.debug("the server ended with: \(error)") }
            return try result.get()
        }
    }

    private func service(
        on loops: MultiThreadedEventLoopGroup, started: @escaping @Sendable (Int) -> Void
    ) -> ServiceGroup {
        var configuration = ApplicationConfiguration(
            address: .hostname(host, port: port), backlog: 64,
            availableConnectionsDelegate: .maximum(limits.connections, logger: log))
        configuration.serverName = nil
        let (stall, body) = (TimeAmount(limits.stall), TimeAmount(limits.body))
        let room = ConnectionRoom(limit: limits.connections - limits.connections / 8)
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionGuard(stallLimit: stall, bodyLimit: body, room: room)],
                    idleTimeout: TimeAmount(limits.idle),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: WebServer.headerField, maxHeaderListSize: WebServer.headerList,
                        maxHeaderFieldCount: WebServer.headerCount))),
            configuration: configuration,
            onServerRunning: { [port] in started($0.localAddress?.port ?? port) },
            eventLoopGroupProvider: .shared(loops), logger: log)
        var services = ServiceGroupConfiguration(services: [application], logger: log)
        services.maximumGracefulShutdownDuration = limits.ending
        return ServiceGroup(configuration: services)
    }
}

/// Why a server cannot listen.
public struct ListenFault: Error, CustomStringConvertible {
    /// The kinds that somebody mends in different ways.
    public enum Kind: Sendable {
        /// Another process listens there.
        case inUse
        /// Ports below 1024 are for those whom the system allows it.
        case notAllowed
        /// The host is none of this machine's addresses.
        case notHere
        /// Anything else.
        case other
    }

    /// What somebody has to mend.
    public let kind: Kind
    /// The address and the cause, one line.
    public let description: String

    init(_ error: any Error, host: String, port: Int) {
        let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: (kind, description) = (.inUse, "\(place) is in use by another process")
        case EACCES: (kind, description) = (.notAllowed, "this user may not listen on \(place)")
        case EADDRNOTAVAIL: (kind, description) = (.notHere, "\(host) is no address of this machine")
        case _ where error is SocketAddressError.UnknownHost:
            (kind, description) = (.notHere, "\(host) is not known here: no such host")
        default: (kind, description) = (.other, "cannot listen on \(place): \(error)")
        }
    }
}
