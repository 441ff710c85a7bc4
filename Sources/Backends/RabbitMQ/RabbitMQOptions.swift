import Pipeline

/// Which broker, and as whom.
public struct RabbitMQOptions: Sendable {
    /// How a queue is declared that does not exist.
    public enum QueueType: String, Sendable {
        /// Durable, without any argument.
        case classic
        /// Replicated, by the argument `x-queue-type`.
        case quorum
    }

    /// Nodes of one cluster: the first is preferred, the others are for fail-over.
    public var hosts: [String]
    /// Of every host.
    public var port: Int
    /// The broker's user.
    public var user: String
    /// Asked for at every connect; never printed.
    public var password: @Sendable () -> String
    /// The broker's virtual host.
    public var virtualHost: String
    /// Whether to speak TLS; the host's name is held against the certificate.
    public var tls: Bool
    /// PEM file of the authorities to trust; nil: the system's.
    public var caFile: String?
    /// Of queues that are missing.
    public var queueType: QueueType
    /// What the broker lists the connections by, with ` (publishing)` or ` (consuming)` after it.
    public var connectionName: String
    /// Where it is told that a connection was lost and is there again; the log hears of it besides.
    public var events: EventStream

    package var heartbeat: Duration = .seconds(10)
    /// How long opening one connection may take.
    package var connectLimit: Duration = .seconds(5)
    /// How long publishing may stand still, and an answer stay away.
    package var patience: Duration = .seconds(30)

    /// How long a connection has to last before the next one may be opened without waiting.
    package var proof: Duration = .seconds(30)

    package init(
        hosts: [String], port: Int, user: String, password: @escaping @Sendable () -> String, virtualHost: String,
        tls: Bool, caFile: String?, queueType: QueueType, connectionName: String,
        events: EventStream = .unheard
    ) {
        self.hosts = hosts
        self.port = port
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
        self.tls = tls
        self.caFile = caFile
        self.queueType = queueType
        self.connectionName = connectionName
        self.events = events
    }

    /// For messages: `k2,k3:5672`.
    var place: String { "\(hosts.joined(separator: ",")):\(port)" }
}
