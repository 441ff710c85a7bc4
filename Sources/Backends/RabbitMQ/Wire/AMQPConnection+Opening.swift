import CRabbitMQ
@preconcurrency import Dispatch
import Foundation
import Pipeline

extension AMQPConnection {
    /// Connects to a host and logs in, on a separate queue, since name lookup, TLS and login wait for the network.
    /// - Throws: `PortFault`.
    static func open(_ options: RabbitMQOptions, host: String, name: String) async throws -> sending AMQPConnection {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "farm.rabbitmq.connect").async {
                do { continuation.resume(returning: try connect(options, host: host, name: name)) } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    /// The same, for connections that are used at once and then closed.
    static func open<Value: Sendable>(
        _ options: RabbitMQOptions, host: String, names: [String],
        _ body: @escaping @Sendable ([AMQPConnection]) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "farm.rabbitmq.connect").async {
                continuation.resume(
                    with: Result {
                        var links: [AMQPConnection] = []
                        defer { for amqp in links { try? amqp.close() } }
                        for name in names { links.append(try connect(options, host: host, name: name)) }
                        return try body(links)
                    })
            }
        }
    }

    private static func connect(_ options: RabbitMQOptions, host: String, name: String) throws -> sending AMQPConnection
    {
        let place = "\(host):\(options.port)"
        let state: amqp_connection_state_t? = amqp_new_connection()
        guard let state else { throw PortFault(.transient, place: place, message: "no memory for a connection") }
        do {
            var limit = timeval(options.connectLimit)
            try socket(state, options, host: host, limit: &limit)
            amqp_set_handshake_timeout(state, &limit)
            amqp_set_rpc_timeout(state, &limit)
            let heartbeat = Int32(clamping: options.heartbeat.components.seconds)
            let reply = crabbitmq_login(
                state, options.virtualHost, heartbeat, name, options.user, options.password())
            if let fault = loginFault(reply, options, place) { throw fault }
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
        return AMQPConnection(state, place: place)
    }

    private static func socket(
        _ state: amqp_connection_state_t, _ options: RabbitMQOptions, host: String, limit: inout timeval
    ) throws {
        let place = "\(host):\(options.port)"
        let socket: OpaquePointer? = options.tls ? amqp_ssl_socket_new(state) : amqp_tcp_socket_new(state)
        guard let socket else { throw PortFault(.transient, place: place, message: "no memory for a socket") }
        if options.tls {
            let file = options.caFile ?? systemAuthorities()
            guard let file, amqp_ssl_socket_set_cacert(socket, file) == AMQP_STATUS_OK.rawValue else {
                let what = file.map { "\($0) holds no certificates that can be read" } ?? "this system has no CA file"
                throw PortFault(
                    .unusable, place: place,
                    message: "TLS: \(what): set QUEUE_CA_FILE to the PEM file of the broker's authority")
            }
            amqp_ssl_socket_set_verify_peer(socket, 1)
            amqp_ssl_socket_set_verify_hostname(socket, 1)
            _ = amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
        }
        let status = amqp_socket_open_noblock(socket, host, Int32(clamping: options.port), &limit)
        guard status != AMQP_STATUS_OK.rawValue else { return }
        throw socketFault(status, options, host: host)
    }

    /// The files in which Debian, Fedora and others keep the authorities that they trust.
    private static func systemAuthorities() -> String? {
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
            .first { FileManager.default.isReadableFile(atPath: $0) }
    }

    // MARK: Faults

    /// The library's words, and then what may be behind them.
    private static func socketFault(_ status: Int32, _ options: RabbitMQOptions, host: String) -> PortFault {
        let (kind, guess): (PortFault.Kind, String)
        switch status {
        case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED.rawValue:
            (kind, guess) = (.transient, "no address for this name: check QUEUE_HOST")
        case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED.rawValue:
            (kind, guess) = (
                .unusable,
                "the broker's certificate is not for \(host): set QUEUE_HOST to a name in the certificate "
                    + "(addresses in certificates are not matched by this version of librabbitmq)"
            )
        case AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue:
            (kind, guess) = (
                .unusable,
                "the broker's certificate is not of an authority in \(options.caFile ?? "the system's CA file"), "
                    + "or has expired: set QUEUE_CA_FILE to its authority's PEM file"
            )
        case AMQP_STATUS_SSL_ERROR.rawValue, AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue:
            (kind, guess) = (.unusable, "no TLS on this port, or no version in common: check QUEUE_PORT (amqps: 5671)")
        default:
            (kind, guess) = (.transient, "check that the broker runs, QUEUE_HOST, QUEUE_PORT and the firewall")
        }
        let what = options.tls ? "no TLS connection" : "no connection"
        return PortFault(kind, place: "\(host):\(options.port)", message: "\(what): \(text(status)); perhaps \(guess)")
    }

    private static func loginFault(
        _ reply: amqp_rpc_reply_t, _ options: RabbitMQOptions, _ place: String
    ) -> PortFault? {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return nil
        case AMQP_RESPONSE_SERVER_EXCEPTION where reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD:
            guard let close = reply.reply.decoded?.assumingMemoryBound(to: amqp_connection_close_t.self).pointee else {
                return PortFault(.transient, place: place, message: "the broker refused the login")
            }
            return refused(Refusal(code: Int(close.reply_code), text: close.reply_text.string), options, place)
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            let hint = options.tls ? "" : "; perhaps this port expects TLS (QUEUE_TLS=true)"
            return PortFault(.transient, place: place, message: "no login: \(text(reply.library_error))\(hint)")
        default: return PortFault(.transient, place: place, message: "the broker refused the login")
        }
    }

    /// The broker's code decides the kind. Its words are passed on.
    private static func refused(_ refusal: Refusal, _ options: RabbitMQOptions, _ place: String) -> PortFault {
        let said = "the broker said: \(refusal.text)"
        switch refusal.code {
        case Refusal.accessRefused:
            return PortFault(
                .unusable, place: place,
                message:
                    "\(said); perhaps a wrong user or password: check QUEUE_USER and QUEUE_PASSWORD (the user guest is "
                    + "let in from the broker's own machine only)")
        case Refusal.notAllowed:
            // The same code stands for faults that pass (a limit on connections, a virtual host that is starting) and
            // for others.
            return PortFault(
                .transient, place: place,
                message:
                    "\(said); perhaps there is no such virtual host (check QUEUE_VHOST), \(options.user) has no rights "
                    + "there (rabbitmqctl set_permissions -p '\(options.virtualHost)' '\(options.user)' '.*' '.*' '.*'), or a "
                    + "limit on connections is reached (rabbitmqctl list_vhost_limits, list_user_limits)")
        default: return PortFault(.transient, place: place, message: said)
        }
    }
}

extension timeval {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
