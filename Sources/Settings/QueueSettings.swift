/// The RabbitMQ servers: QUEUE_*.
public struct QueueSettings: Sendable, Equatable {
    /// The type of queues that farm declares.
    public enum QueueType: String, Sendable, CaseIterable {
        case classic
        case quorum
    }

    /// At least one host. The first is preferred and the others are for fail-over, unless `partitions` is set.
    public var hosts: [String]
    /// The port of every host: QUEUE_PORT, or else 5672 (with TLS 5671).
    public var port: Int
    /// The user that logs in.
    public var user: String
    /// Its password.
    public var password: Secret
    /// `/` unless set.
    public var virtualHost: String
    /// Whether the connection uses TLS.
    public var tls: Bool
    /// Certificates to trust. nil for the system's.
    public var caFile: String?
    /// The type of the queues that farm declares, classic unless set.
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
    /// Hosts separated by commas or blanks, without duplicates.
    fileprivate func hosts(_ variable: Variable) -> [String]? {
        guard let text = text(variable) else { return nil }
        var hosts: [String] = []
        for word in text.split(whereSeparator: { $0 == "," || $0 == ";" || $0.isWhitespace }) {
            guard let host = HostName.parse(String(word)) else {
                fault(variable, "\(HostName.requirement); several are separated by commas")
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
