import Model

/// Reads one entry of `services`.
enum ServiceEntry {
    case service(ServiceSettings)
    /// A role, and whether this machine runs it.
    case role(PostProcessing, work: Bool)

    private static let keys: Set<String> = [
        "host", "port", "endpoint", "category", "description", "evidence", "queue_prefix", "timeout", "max_retries",
        "retry_delay", "concurrency", "work", "transport", "accepts", "health",
    ]
    private static let ignored = ["enable_triggers": "farm always triggers the post-processing that follows"]

    /// nil if the entry is unusable. Smaller faults are replaced by defaults, to find the faults after them.
    init?(_ name: String, _ value: JSON, in file: String, tries: TryRule, _ findings: SettingsProblems) {
        let place = "\(file): services.\(name.shown)"
        if let reason = Self.faultOfName(name) {
            findings.fault(place, reason)
            return nil
        }
        guard let entry = ObjectReader(value, at: place, known: Self.keys, ignored: Self.ignored, findings) else {
            return nil
        }
        let known = CatalogueService.named(name)
        let role = PostProcessing(rawValue: name)
        let category =
            entry.choice("category", ServiceCategory.self) ?? known?.category
            ?? (role == nil ? .primary : .postProcessing)
        guard let service = ServiceSettings(name, known, category, tries, entry) else { return nil }
        guard (category == .postProcessing) == (role != nil) else {
            let roles = listing(PostProcessing.allCases.map(\.rawValue))
            let isRole = "is a role, so its category must be post_processing"
            findings.fault(place, role == nil ? "post_processing is only for the roles \(roles)" : isRole)
            return nil
        }
        self = role.map { .role($0, work: service.work) } ?? .service(service)
    }

    private static func faultOfName(_ name: String) -> String? {
        guard (1...50).contains(name.utf8.count), name.utf8.allSatisfy(\.isNamePart) else {
            return "a service's name must be 1…50 letters, digits, _, - or ."
        }
        if name.hasSuffix(".dead") { return "a service's name must not end in .dead, as the queues of dead jobs do" }
        if ["all", "primary", "spatial_only", "full_catalog"].contains(name) {
            return "this name means several services in produce --services"
        }
        if name == Callback.service { return "this is the name of what posts webhooks" }
        return nil
    }
}

extension ServiceSettings {
    fileprivate init?(
        _ name: String, _ known: CatalogueService?, _ category: ServiceCategory, _ tries: TryRule, _ entry: ObjectReader
    ) {
        let host = entry.host("host") ?? "localhost"
        let port = Self.port(known, category, entry)
        self.init(name: name, host: host, port: port ?? 0, tries: tries)
        self.category = category
        evidence = entry.choice("evidence", Evidence.self) ?? known?.evidence ?? .none
        description = (entry.text("description") ?? known?.description ?? "").shownWhole
        endpoint = entry.path("endpoint") ?? endpoint
        health = entry.path("health") ?? health
        queue = Self.queue(name, category, entry) ?? queue
        concurrency = entry.integer("concurrency", in: 1...1024) ?? concurrency
        work = entry.flag("work") ?? work
        transport = entry.choice("transport", Transport.self) ?? transport
        accepts = entry.formats("accepts")?.inOrder ?? known?.accepts.inOrder ?? accepts
        timeout = entry.number("timeout", in: .timeout).map(Duration.init(seconds:)) ?? timeout
        maxRetries = entry.integer("max_retries", in: .tries) ?? maxRetries
        retryDelay = entry.number("retry_delay", in: .retryDelay).map(Duration.init(seconds:)) ?? retryDelay
        // If its own values do not add up to too much, the global settings are at fault, and are reported once.
        if self.tries != tries, let fault = self.tries.fault { entry.findings.fault(entry.place, fault) }
        if port == nil { return nil }
    }

    private static func port(_ known: CatalogueService?, _ category: ServiceCategory, _ entry: ObjectReader) -> Int? {
        if category == .postProcessing { return entry.value("port") == nil ? 0 : entry.integer("port", in: 0...65_535) }
        guard entry.value("port") != nil else { return known?.port ?? entry.fault("port", "is missing") }
        guard let port = entry.integer("port", in: 0...65_535) else { return nil }
        return port > 0 ? port : entry.fault("port", "must be 1…65535; 0 is only for post_processing")
    }

    private static func queue(_ name: String, _ category: ServiceCategory, _ entry: ObjectReader) -> String? {
        guard let prefix = entry.text("queue_prefix") else { return nil }
        guard prefix.utf8.count <= 50, prefix.utf8.allSatisfy(\.isNamePart) else {
            return entry.fault("queue_prefix", "must be at most 50 letters, digits, _, - or .")
        }
        let queue = prefix + name
        return queue.hasPrefix("amq.") ? entry.fault("queue_prefix", "amq. is reserved by the broker") : queue
    }
}

extension Set<PictureFormat> {
    /// The formats in a fixed order. A set prints in no fixed order, and comparing the printed settings shows whether
    /// they changed.
    var inOrder: [PictureFormat] { PictureFormat.allCases.filter(contains) }
}

extension String {
    /// The text on one line. Line breaks and other steering characters become blanks.
    fileprivate var shownWhole: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.isSteering ? " " : $0 }))
    }
}
