import CPostgreSQL
import Foundation
import Glibc

/// One connection. libpq blocks here only to look up a name (resolv.conf limits that). All other waiting is in `poll`
/// with a deadline, on the queue of the session that owns the connection.
final class PostgreSQLConnection {
    /// How long connecting may take.
    static let connectLimit = Duration.seconds(5)
    /// How long the server may take for a statement. A little later this side gives up.
    static let statementLimit = Duration.seconds(60)
    private static let grace = Duration.seconds(10)

    let server: Server
    let handle: OpaquePointer
    /// Whether a pooler is in between. It may give each transaction another session of the server, so nothing may be
    /// left in a session, neither a prepared statement nor a setting.
    private(set) var isPooled = false
    /// Names of prepared statements by their SQL.
    var prepared: [String: String] = [:]
    var preparedCount = 0

    /// Connects.
    /// - Throws: `PostgreSQLFault`.
    init(_ server: Server) throws {
        self.server = server
        guard let handle = PostgreSQLConnection.start(server.parameters) else {
            throw PostgreSQLFault(message: "no memory left", isLost: true)
        }
        self.handle = handle
        // With the codes of errors, since the texts are in the server's language.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try connect(until: .now + PostgreSQLConnection.connectLimit)
        guard PQsetnonblocking(handle, 1) == 0 else { throw lost() }
        try settle()
    }

    deinit { PQfinish(handle) }

    private static func start(_ parameters: [(key: String, value: String)]) -> OpaquePointer? {
        let keys = parameters.map { strdup($0.key) }
        let values = parameters.map { strdup($0.value) }
        defer { for text in keys + values { free(text) } }
        return PQconnectStartParams(
            keys.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 0)
    }

    private func connect(until deadline: ContinuousClock.Instant) throws {
        var status = PGRES_POLLING_WRITING
        var isInHandshake = false
        while status != PGRES_POLLING_OK {
            guard PQstatus(handle) != CONNECTION_BAD, status != PGRES_POLLING_FAILED else {
                throw PostgreSQLFault(
                    connecting: errorText,
                    because: PQconnectionNeedsPassword(handle) == 1 ? .password : isInHandshake ? .tls : nil)
            }
            try wait(for: status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline)
            isInHandshake = PQstatus(handle) == CONNECTION_SSL_STARTUP && hasInput
            status = PQconnectPoll(handle)
        }
    }

    /// Whether there is something to read. A server that has closed the connection sends nothing.
    private var hasInput: Bool {
        var byte: UInt8 = 0
        return recv(PQsocket(handle), &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    private func settle() throws {
        let version = PQserverVersion(handle)
        guard version >= 150_000 else {
            throw PostgreSQLFault(
                state: PostgreSQLFault.tooOld,
                message: "version \(version / 10_000) is too old: farm needs PostgreSQL 15 or newer",
                isLost: true)
        }
        // When a connection is made, a server names the process that serves it. A pooler has to make one up.
        let process = try execute("SELECT pg_backend_pid()")?.first?.integer(0)
        isPooled = process != Int(PQbackendPID(handle))
        if !isPooled { try execute(PostgreSQLConnection.sessionSettings) }
    }

    /// The settings for farm's own statements, including how long statements, locks and idle transactions may last in
    /// the server. The time zone stays the server's, so that times read like those of other programs.
    private static let settings = {
        let limit = "\(PostgreSQLConnection.statementLimit.components.seconds * 1000)"
        return [
            ("statement_timeout", limit), ("lock_timeout", "30000"), ("idle_in_transaction_session_timeout", limit),
            ("client_min_messages", "error"), ("jit", "off"),
        ]
    }()

    /// For a connection that only farm uses.
    static let sessionSettings = settings.map { "SET \($0) = \($1)" }.joined(separator: "; ")

    /// The same, until the transaction ends.
    static let transactionSettings =
        "SELECT " + settings.map { "set_config('\($0)', '\($1)', true)" }.joined(separator: ", ")

    // MARK: State

    /// Whether the connection still exists. A server that went away has left the end of the stream in the socket.
    var isAlive: Bool {
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        guard PQstatus(handle) == CONNECTION_OK, descriptor.fd >= 0 else { return false }
        while poll(&descriptor, 1, 0) > 0 {
            guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { return false }
        }
        return true
    }

    /// Whether nothing is in progress on it.
    var isIdle: Bool {
        PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE
            && PQpipelineStatus(handle) == PQ_PIPELINE_OFF
    }

    /// Whether proofs of passwords, and rows, cross a network unencrypted although the operator did not ask for that.
    var isUnexpectedlyClear: Bool {
        PQsslInUse(handle) == 0 && ["allow", "prefer"].contains(server.options.sslMode) && !server.isHere
    }

    var errorText: String { String(cString: PQerrorMessage(handle)) }

    /// The fault of a connection that no longer answers.
    func lost() -> PostgreSQLFault {
        let fault = PostgreSQLFault(connecting: errorText, because: nil)
        return fault.message.isEmpty ? PostgreSQLFault(message: "the connection is lost", isLost: true) : fault
    }

    // MARK: Waiting

    /// When this side gives up what begins now. nil for never.
    static func deadline(_ limit: Duration?) -> ContinuousClock.Instant? { limit.map { .now + $0 + grace } }

    @discardableResult
    func wait(for events: Int32, until deadline: ContinuousClock.Instant?) throws -> Int32 {
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
        guard descriptor.fd >= 0 else { throw lost() }
        while true {
            var milliseconds: Int32 = -1
            if let deadline {
                let rest = deadline - .now
                guard rest > .zero else { throw PostgreSQLFault(message: "no answer in time", isLost: true) }
                milliseconds = Int32(min(60_000, rest.components.seconds * 1000 + 999))
                if rest < .seconds(60) { milliseconds = Int32(rest / .milliseconds(1)) + 1 }
            }
            let ready = poll(&descriptor, 1, milliseconds)
            if ready > 0 { return Int32(descriptor.revents) }
            guard ready == 0 || errno == EINTR else { throw lost() }
        }
    }

    /// Sends what is buffered and reads what comes meanwhile, since neither side may wait for the other.
    func flush(until deadline: ContinuousClock.Instant?) throws {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                let ready = try wait(for: POLLIN | POLLOUT, until: deadline)
                if ready & POLLIN != 0, PQconsumeInput(handle) == 0 { throw lost() }
            default: throw lost()
            }
        }
    }

    /// The next result. nil at the end of a statement's results.
    func nextResult(until deadline: ContinuousClock.Instant?) throws -> OpaquePointer? {
        while PQisBusy(handle) == 1 {
            try wait(for: POLLIN, until: deadline)
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle)
    }
}
