import Model
import Pipeline

/// One request over http or https: a GET, or a POST where there is content.
public struct HTTPRequest: Sendable {
    /// What is posted as the multipart field `file`.
    public enum Content: Sendable {
        /// Streamed from this path, which has to lie below the root where there is one.
        case file(path: String, root: String? = nil)
        case bytes([UInt8], filename: String)
        /// The whole body, as it is, in place of a form.
        case json([UInt8])
    }

    /// http or https.
    public var url: String
    /// nil makes it a GET.
    public var content: Content?
    /// For everything from the name's lookup to the last byte.
    public var timeout: Duration
    /// How many bytes of an answer are taken.
    public var bodyLimit: Int
    /// How many redirections are followed.
    public var redirections: Int
    /// An answer whose Content-Encoding is gzip or deflate is unpacked, though none is asked for. The limit is that of what
    /// comes out.
    public var unpacks: Bool
    /// The header `traceparent`: the span that this request is of.
    public var trace: TraceContext?

    /// A GET; with content a POST. No redirection is followed unless asked for.
    public init(
        url: String, content: Content? = nil, timeout: Duration, bodyLimit: Int, redirections: Int = 0,
        unpacks: Bool = false
    ) {
        self.url = url
        self.content = content
        self.timeout = timeout
        self.bodyLimit = bodyLimit
        self.redirections = redirections
        self.unpacks = unpacks
    }

    /// How long the making of a connection may take.
    var connectTimeout: Duration { min(timeout, .seconds(10)) }
}

/// A whole answer, whatever its status.
public struct HTTPResponse: Sendable {
    /// The HTTP status.
    public var status: Int
    /// At most as long as the request allows.
    public var body: [UInt8]
    /// How long the `Retry-After` header, in seconds or as a date, asks to wait; nil if it is missing or past.
    public var retryAfter: Duration?
    /// What the request took, in seconds.
    public var seconds: Double

    package init(status: Int, body: [UInt8], retryAfter: Duration? = nil, seconds: Double) {
        self.status = status
        self.body = body
        self.retryAfter = retryAfter
        self.seconds = seconds
    }
}
