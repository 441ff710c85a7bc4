import CCurl

/// Why a request has no complete answer.
public struct HTTPFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of causes.
    public enum Kind: Sendable, Equatable {
        /// No connection was made: refused, no such name, no route, or nobody answers on that port.
        case unreachable
        /// The connection was made, but there was no complete answer in time.
        case timeout
        /// The connection broke, or the answer is no complete HTTP answer.
        case broken
        /// The answer cannot be unpacked: it is not packed as it says, or in an unknown way.
        case encoding
        /// The answer is larger than the request allows.
        case tooLarge
        /// The file that was to be posted cannot be read.
        case unreadableFile
        /// The URL is malformed.
        case malformed
        /// The policy refuses the address of the host.
        case denied
        case cancelled
        case other
    }

    /// The kind of cause.
    public var kind: Kind
    /// `host:port`.
    public var place: String
    /// What happened there, on one line; never a credential.
    public var cause: String
    /// The status that came before the fault.
    public var status: Int?

    /// A fault of a request to this place.
    public init(_ kind: Kind, place: String, cause: String, status: Int? = nil) {
        self.kind = kind
        self.place = place
        self.cause = cause
        self.status = status
    }

    /// `localhost:7777: connection refused`.
    public var description: String { "\(place): \(cause)" }
}

extension HTTPFault.Kind {
    /// - Parameter connected: whether the request could begin. If so, a time-out is the answer's and not the
    ///   connection's.
    init(_ code: CURLcode, connected: Bool) {
        switch code {
        // This includes a certificate that has expired or belongs to another host: the host is at fault, and may be
        // mended.
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
            CURLE_PEER_FAILED_VERIFICATION:
            self = .unreachable
        case CURLE_URL_MALFORMAT: self = .malformed
        case CURLE_OPERATION_TIMEDOUT: self = connected ? .timeout : .unreachable
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_WEIRD_SERVER_REPLY,
            CURLE_SEND_FAIL_REWIND, CURLE_SSL_CONNECT_ERROR:
            self = .broken
        // An answer without a status line is "HTTP/0.9", which is refused as an unsupported protocol.
        case CURLE_UNSUPPORTED_PROTOCOL where connected: self = .broken
        case CURLE_BAD_CONTENT_ENCODING: self = .encoding
        case CURLE_FILESIZE_EXCEEDED: self = .tooLarge
        case CURLE_READ_ERROR, CURLE_FILE_COULDNT_READ_FILE: self = .unreadableFile
        default: self = .other
        }
    }
}
