import Model
import Pipeline

/// One request over http or https: a GET, or a POST if there is content.
public struct HTTPRequest: Sendable {
    /// What is posted, usually as the multipart field `file`.
    public enum Content: Sendable {
        /// Streamed from this path. If there is a root, the file must be below it.
        case file(path: String, root: String? = nil)
        case bytes([UInt8], filename: String)
        /// The whole body, unchanged, instead of a form.
        case json([UInt8])
    }

    /// An http or https URL.
    public var url: String
    /// If this is nil, the request is a GET.
    public var content: Content?
    /// The limit for everything from the name lookup to the last byte.
    public var timeout: Duration
    /// How many bytes of an answer are accepted.
    public var bodyLimit: Int
    /// How many redirections are followed.
    public var redirections: Int
    /// Whether an answer with the Content-Encoding gzip or deflate is unpacked, although none is asked for. The limit
    /// applies to the unpacked bytes.
    public var unpacks: Bool
    /// The span of this request, for the header `traceparent`.
    public var trace: TraceContext?
    /// Headers beside those that the content needs. Neither names nor values may hold line ends.
    public var headers: [(name: String, value: String)] = []

    /// A GET, or a POST if there is content. Redirections are followed only if asked for.
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

    /// The limit for making a connection.
    var connectTimeout: Duration { min(timeout, .seconds(10)) }
}

/// A complete answer, whatever its status.
public struct HTTPResponse: Sendable {
    /// The HTTP status.
    public var status: Int
    /// The body, at most as long as the request allows.
    public var body: [UInt8]
    /// How long the `Retry-After` header, in seconds or as a date, asks to wait. nil if it is missing or past.
    public var retryAfter: Duration?
    /// How many seconds the request took.
    public var seconds: Double

    package init(status: Int, body: [UInt8], retryAfter: Duration? = nil, seconds: Double) {
        self.status = status
        self.body = body
        self.retryAfter = retryAfter
        self.seconds = seconds
    }
}
