/// A broker. Its administrator is `guest`, with the password `guest`, in the virtual host `/`.
package struct RabbitMQServer: Server {
    package static let kind = "rabbitmq"

    package let place: ServerPlace

    package init(_ place: ServerPlace) { self.place = place }

    /// A virtual host of one test's own, empty at first, and a user with all rights there.
    package struct VirtualHost: Sendable {
        package let name: String
        package let user: String
        package let password: String
    }

    package func virtualHost() async throws -> VirtualHost {
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
    package func settings(_ host: VirtualHost, tls: Bool = false) -> [String: String] {
        [
            "QUEUE_HOST": self.host, "QUEUE_PORT": "\(tls ? tlsPort : port)", "QUEUE_VHOST": host.name,
            "QUEUE_USER": host.user, "QUEUE_PASSWORD": host.password, "QUEUE_TLS": "\(tls)", "QUEUE_CA_FILE": caFile,
        ]
    }

    package func remove(_ host: VirtualHost) async {
        _ = try? await evaluate(
            """
            rabbit_vhost:delete(<<"\(host.name)">>, <<"test">>),
            rabbit_auth_backend_internal:delete_user(<<"\(host.user)">>, <<"test">>).
            """)
    }

    /// What an Erlang expression, with its full stop, yields in the node. It takes some 50 ms.
    @discardableResult
    package func evaluate(_ expression: String) async throws -> String {
        try await script(Self.kind, "evaluate", folder, expression)
    }

    /// What rabbitmqctl prints. It takes a second or more.
    @discardableResult
    package func control(_ arguments: String...) async throws -> String {
        try await script(Self.kind, ["ctl", folder, "--quiet"] + arguments)
    }
}
