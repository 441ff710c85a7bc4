import Pictures
import Pipeline

/// Where a service is and how it is called.
public struct ServiceEndpoint: Sendable, Equatable {
    /// The name in the configuration.
    public var name: String
    /// A name or an address. An IPv6 address may have brackets or not.
    public var host: String
    /// From 1 to 65535.
    public var port: Int
    /// The path for an analysis.
    public var endpoint: String
    /// The path that shows whether it works.
    public var health: String
    /// The limit for one try.
    public var timeout: Duration
    /// How often a job is tried.
    public var maxTries: Int
    /// The base of the exponential back-off between tries.
    public var retryDelay: Duration
    /// How many requests may be in flight.
    public var concurrency: Int

    /// An endpoint with the defaults of spec section 2.
    public init(
        name: String, host: String, port: Int, endpoint: String = "/analyze", health: String = "/health",
        timeout: Duration = .seconds(30), maxTries: Int = 3, retryDelay: Duration = .seconds(5), concurrency: Int = 4
    ) {
        self.name = name
        self.host = host
        self.port = port
        self.endpoint = endpoint
        self.health = health
        self.timeout = timeout
        self.maxTries = maxTries
        self.retryDelay = retryDelay
        self.concurrency = concurrency
    }

    /// `localhost:7777`.
    public var address: String { "\(bracketedHost):\(port)" }

    /// `blip at localhost:7777`, as messages name it.
    public var label: String { "\(name) at \(address)" }

    private var bracketedHost: String { host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host }

    private func url(_ path: String) -> String {
        // The zone of a link-local address follows a percent sign, which must be encoded in a URL (RFC 6874).
        let bracketed = bracketedHost
        let hasZone = bracketed.utf8.contains(UInt8(ascii: "%"))
        let host = hasZone ? bracketed.replacing("%25", with: "%").replacing("%", with: "%25") : bracketed
        return "http://\(host):\(port)" + (path.hasPrefix("/") ? path : "/" + path)
    }

    var healthURL: String { url(health) }

    /// A request for an analysis of nothing.
    func emptyRequest(_ limit: Duration) -> HTTPRequest {
        HTTPRequest(url: url(endpoint), timeout: min(timeout, limit), bodyLimit: ServiceLimits.answerBytes)
    }

    /// A request for the analysis of this subject.
    /// - Throws: `image` for a URL that the policy refuses, since the service would fetch it.
    func request(_ subject: AnalysisSubject, _ policy: ImagePolicy) throws(PictureFault) -> HTTPRequest {
        var request = HTTPRequest(url: url(endpoint), timeout: timeout, bodyLimit: ServiceLimits.answerBytes)
        switch subject {
        case .url(let picture):
            if let reason = PictureURL.refusal(of: picture, by: policy) {
                throw PictureFault(.image, "\(URLText.shown(picture)) is not given to \(name): \(reason)")
            }
            request.url += (endpoint.contains("?") ? "&" : "?") + "url=" + URLText.encodedComponent(picture)
        case .file(let path): request.content = .file(path: path, root: policy.root)
        case .picture(let jpeg, let filename): request.content = .bytes(jpeg, filename: filename)
        }
        return request
    }
}

/// Limits of the calls (spec section 5).
enum ServiceLimits {
    static let answerBytes = 16 << 20
    /// The longest wait before a try. A longer Retry-After pauses the service.
    static let longestWait = Duration.seconds(60)
    /// The longest pause for which a service may ask.
    static let longestPause = Duration.seconds(86_400)
    /// How long a job may be held: no job stays unacknowledged for over five minutes (spec section 3).
    static let holding = Duration.seconds(285)
}
