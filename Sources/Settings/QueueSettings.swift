/// RabbitMQ: QUEUE_*.
public struct QueueSettings: Sendable, Equatable {
    /// What a queue that farm declares is.
    public enum QueueType: String, Sendable, CaseIterable {
        case classic
        case quorum
    }

    /// At least one: the first is preferred, the others are fail-over, unless `partitions`.
    public var hosts: [String]
    /// Of every host: QUEUE_PORT, else 5672, with TLS 5671.
    public var port: Int
    /// The user that logs in.
    public var user: String
    /// Its password.
    public var password: Secret
    /// `/` unless set.
    public var virtualHost: String
    /// Whether the connection is by TLS.
    public var tls: Bool
    /// Certificates to trust; nil: the system's.
    public var caFile: String?
    /// Of the queues that farm declares, classic unless set.
    public var type: QueueType
    /// Whether jobs are spread over the hosts by image_id.
    public var partitions: Bool
}

extension QueueSettings {
    static let group: [Variable] = [.queueHost, .queueUser, .queuePassword]

    init?(_ variables: Variables) {
        let hosts = variables.hosts(.queueHost)
        let tls = variables.flag(.queueTLS) ?? false
        let port = variables.port(.queuePort) ?? (tls ? 5671 : 5672)
        let caFile = variables.certificates(.queueCAFile)
        let type = variables.choice(.queueType, ["classic": QueueType.classic, "quorum": .quorum]) ?? .classic
        let partitions = variables.flag(.queuePartitions) ?? false
        let user = variables.text(.queueUser)
        let password = variables.secret(.queuePassword)
        let virtualHost = variables.text(.queueVirtualHost) ?? "/"
        guard let hosts, let user, let password else { return nil }

        let findings = variables.findings
        if type == .quorum {
            findings.warning("QUEUE_TYPE", "programs that declare quorum queues without arguments will be refused")
        }
        if partitions && hosts.count == 1 {
            findings.warning("QUEUE_PARTITIONS", "has no effect with one host in QUEUE_HOST")
        }
        if caFile != nil && !tls { findings.warning("QUEUE_CA_FILE", "has no effect without QUEUE_TLS=true") }
        self.init(
            hosts: hosts, port: port, user: user, password: password, virtualHost: virtualHost, tls: tls,
            caFile: caFile, type: type, partitions: partitions)
    }
}

extension Variables {
    /// Hosts with commas or blanks between them, each once.
    fileprivate func hosts(_ variable: Variable) -> [String]? {
        guard let text = text(variable) else { return nil }
        var hosts: [String] = []
        for word in text.split(whereSeparator: { $0 == "," || $0 == ";" || $0.isWhitespace }) {
            guard let host = HostName.parse(String(word)) else {
                fault(variable, "\(HostName.requirement); several with commas between them")
                return nil
            }
            if !hosts.contains(host) { hosts.append(host) }
        }
        guard !hosts.isEmpty else {
            fault(variable, "names no host")
            return nil
        }
        return hosts
    }
}
