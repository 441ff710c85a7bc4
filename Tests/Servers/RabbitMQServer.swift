/// A broker. Its administrator is `guest`, with the password `guest`, in the virtual host `/`.
public struct RabbitMQServer: Server {
    public static let kind = "rabbitmq"

    public let place: ServerPlace

    public init(_ place: ServerPlace) { self.place = place }

    /// A virtual host of one test's own, empty at first, and a user with all rights there.
    public struct VirtualHost: Sendable {
        public let name: String
        public let user: String
        public let password: String
    }

    public func virtualHost() async throws -> VirtualHost {
        let name = uniqueName()
        let host = VirtualHost(name: name, user: name, password: uniquePassword())
        try await evaluate(
            """
            ok = rabbit_vhost:add(<<"\(name)">>, <<"test">>),
            ok = rabbit_auth_backend_internal:add_user(<<"\(name)">>, <<"\(host.password)">>, <<"test">>),
            All = <<".*">>,
            ok = rabbit_auth_backend_internal:set_permissions(<<"\(name)">>, <<"\(name)">>, All, All, All, <<"test">>).
            """)
        return host
    }

    /// The variables of a .env that choose it.
    public func settings(_ host: VirtualHost, tls: Bool = false) -> [String: String] {
        [
            "QUEUE_HOST": self.host, "QUEUE_PORT": "\(tls ? tlsPort : port)", "QUEUE_VHOST": host.name,
            "QUEUE_USER": host.user, "QUEUE_PASSWORD": host.password, "QUEUE_TLS": "\(tls)", "QUEUE_CA_FILE": caFile,
        ]
    }

    public func remove(_ host: VirtualHost) async {
        _ = try? await evaluate(
            """
            rabbit_vhost:delete(<<"\(host.name)">>, <<"test">>),
            rabbit_auth_backend_internal:delete_user(<<"\(host.user)">>, <<"test">>).
            """)
    }

    /// What an Erlang expression, with its full stop, yields in the node. It takes some 50 ms.
    @discardableResult
    public func evaluate(_ expression: String) async throws -> String {
        try await script(Self.kind, "evaluate", folder, expression)
    }

    /// What rabbitmqctl prints. It takes a second or more.
    @discardableResult
    public func control(_ arguments: String...) async throws -> String {
        try await script(Self.kind, ["ctl", folder, "--quiet"] + arguments)
    }
}
