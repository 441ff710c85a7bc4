import Pipeline

/// Which broker to connect to, and how to log in.
public struct RabbitMQOptions: Sendable {
    /// How a missing queue is declared.
    public enum QueueType: String, Sendable {
        /// Durable, without arguments.
        case classic
        /// Replicated, by the argument `x-queue-type`.
        case quorum
    }

    /// Nodes of one cluster. The first is preferred, and the others are for fail-over.
    public var hosts: [String]
    /// The port of every host.
    public var port: Int
    /// The broker's user.
    public var user: String
    /// Called at every connection. It is never printed.
    public var password: @Sendable () -> String
    /// The broker's virtual host.
    public var virtualHost: String
    /// Whether to use TLS. The name of the host is checked against the certificate.
    public var tls: Bool
    /// A PEM file of the authorities to trust. nil for the system's.
    public var caFile: String?
    /// The type of queues that farm declares.
    public var queueType: QueueType
    /// The name under which the broker lists the connections, followed by ` (publishing)` or ` (consuming)`.
    public var connectionName: String
    /// Receives lost and restored connections. They go to the log as well.
    public var events: EventStream

    package var heartbeat: Duration = .seconds(10)
    /// How long opening one connection may take.
    package var connectLimit: Duration = .seconds(5)
    /// How long publishing may stand still, and how long an answer may take.
    package var patience: Duration = .seconds(30)

    /// How long a connection must last before the next one may be opened without waiting.
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
