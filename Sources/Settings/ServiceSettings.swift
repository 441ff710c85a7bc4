import Model

/// One machine-learning service: an entry of service_config.json, completed from the catalogue and the global settings.
public struct ServiceSettings: Sendable, Hashable {
    /// How a worker passes the image to the service.
    public enum Transport: String, Sendable, CaseIterable {
        /// The URL if the image has one, otherwise the file.
        case auto
        case url
        case file
    }

    /// 1 to 50 ASCII letters, digits, `_`, `-`, `.`.
    public var name: String
    /// A host name or address. An IPv6 address has no brackets.
    public var host: String
    /// From 1 to 65535.
    public var port: Int
    /// The path of a call. It begins with a slash.
    public var endpoint = "/analyze"
    /// Who calls it; never `postProcessing`.
    public var category = ServiceCategory.primary
    /// How its answers count.
    public var evidence = Evidence.none
    /// What it does, on one line.
    public var description = ""
    /// The name of its queue: the prefix and the service's name.
    public var queue: String
    /// The limit for one try.
    public var timeout: Duration
    /// The number of tries for each job, at least 1.
    public var maxRetries: Int
    /// The base of the exponential back-off between tries.
    public var retryDelay: Duration
    /// How many calls may be in flight.
    public var concurrency = 4
    /// Whether this machine works on it. If not, the entry only gives its address.
    public var work = true
    /// How it gets the image.
    public var transport = Transport.auto
    /// The formats that are posted unchanged, always in the same order. Other pictures are posted as JPEG.
    public var accepts = PictureFormat.common.inOrder
    /// The path of a probe. It begins with a slash.
    public var health = "/health"

    /// `host:port` as in a URL: an IPv6 address in brackets, the `%` of a zone escaped (RFC 6874).
    public var authority: String {
        let address = host.contains(":") ? "[\(host.replacing("%", with: "%25"))]" : host
        return "\(address):\(port)"
    }
}

extension ServiceSettings {
    static let queuePrefix = "queue_"

    /// The longest time that a job can take: every try runs into its time-out, and the waits between them.
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
