import CCurl

/// Why a request has no whole answer.
public struct HTTPFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of causes.
    public enum Kind: Sendable, Equatable {
        /// No connection came about: refused, no such name, no way there, nobody answering on that port.
        case unreachable
        /// Connected, but no whole answer in time.
        case timeout
        /// The connection broke, or what came is no whole HTTP answer.
        case broken
        /// The answer cannot be unpacked: it is not packed as it says, or in a way that is not known.
        case encoding
        /// The answer is larger than the request allows.
        case tooLarge
        /// The file that was to be posted cannot be read.
        case unreadableFile
        /// The URL is none.
        case malformed
        /// The policy refuses the address that the host's name leads to.
        case denied
        case cancelled
        case other
    }

    /// What kind of cause.
    public var kind: Kind
    /// `host:port`.
    public var place: String
    /// What happened there: one line, never a credential.
    public var cause: String
    /// The status line that had come before the fault.
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
    /// - Parameter connected: whether the request could begin: then a time-out is the answer's, not the connection's.
    init(_ code: CURLcode, connected: Bool) {
        switch code {
        // Of a certificate too, that has run out or is another host's: it is the host's fault, and may be mended.
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
