import Model

/// One machine-learning service: an entry of service_config.json, completed from the catalogue and the global settings.
public struct ServiceSettings: Sendable, Hashable {
    /// How a worker hands the image to the service.
    public enum Transport: String, Sendable, CaseIterable {
        /// The URL if the image has one, else the file.
        case auto
        case url
        case file
    }

    /// 1…50 ASCII letters, digits, `_`, `-`, `.`.
    public var name: String
    /// A host name or address; an IPv6 address stands without brackets.
    public var host: String
    /// 1…65535.
    public var port: Int
    /// The path of a call, which begins with a slash.
    public var endpoint = "/analyze"
    /// Who calls it; never `postProcessing`.
    public var category = ServiceCategory.primary
    /// What its answers count as.
    public var evidence = Evidence.none
    /// What it does, on one line.
    public var description = ""
    /// The prefix and the name.
    public var queue: String
    /// Of one try.
    public var timeout: Duration
    /// Tries per job, at least 1.
    public var maxRetries: Int
    /// The base of the exponential back-off between tries.
    public var retryDelay: Duration
    /// Calls in flight.
    public var concurrency = 4
    /// False: an address only, another box works on it.
    public var work = true
    /// How it gets the image.
    public var transport = Transport.auto
    /// What is posted to it as it is, always in the same order; other pictures are posted as JPEG.
    public var accepts = PictureFormat.common.inOrder
    /// The path of a probe, which begins with a slash.
    public var health = "/health"

    /// `host:port` as a URL has it: an IPv6 address in brackets, a zone's `%` escaped (RFC 6874).
    public var authority: String {
        let address = host.contains(":") ? "[\(host.replacing("%", with: "%25"))]" : host
        return "\(address):\(port)"
    }
}

extension ServiceSettings {
    static let queuePrefix = "queue_"

    /// What a job takes at most: every try runs into its time-out, and the waits between them.
    public var longestJob: Duration { tries.longest }

    var tries: TryRule {
        get { TryRule(timeout: timeout, maxRetries: maxRetries, retryDelay: retryDelay) }
        set { (timeout, maxRetries, retryDelay) = (newValue.timeout, newValue.maxRetries, newValue.retryDelay) }
    }

    init(name: String, host: String, port: Int, tries: TryRule) {
        self.name = name
        self.host = host
        self.port = port
        queue = Self.queuePrefix + name
        timeout = tries.timeout
        maxRetries = tries.maxRetries
        retryDelay = tries.retryDelay
    }

    /// A service of the catalogue on localhost.
    init(_ known: CatalogueService, tries: TryRule) {
        self.init(name: known.name, host: "localhost", port: known.port, tries: tries)
        category = known.category
        evidence = known.evidence
        description = known.description
        accepts = known.accepts.inOrder
    }
}
