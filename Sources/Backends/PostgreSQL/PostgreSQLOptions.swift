/// Where a database is and how to log in there.
public struct PostgreSQLOptions: Sendable {
    /// A host name or address, or the folder of a Unix socket.
    public var host: String
    /// The port, on `readHost` too.
    public var port: Int
    /// The name of the database.
    public var name: String
    /// The role that logs in.
    public var user: String
    /// The password. It is asked for at every connection, and never printed.
    public var password: @Sendable () -> String
    /// libpq's `sslmode`: disable, allow, prefer, require, verify-ca, verify-full. Nothing weaker is accepted.
    public var sslMode: String
    /// Certificates to trust. nil for the system's.
    public var caFile: String?
    /// A replica for what is read for people.
    public var readHost: String?
    /// The name in `pg_stat_activity`. PostgreSQL cuts it at 63 bytes.
    public var applicationName: String

    /// Options, with libpq's defaults where there are any.
    public init(
        host: String, port: Int = 5432, name: String, user: String, password: @Sendable @escaping () -> String,
        sslMode: String = "prefer", caFile: String? = nil, readHost: String? = nil, applicationName: String = "farm"
    ) {
        self.host = host
        self.port = port
        self.name = name
        self.user = user
        self.password = password
        self.sslMode = sslMode
        self.caFile = caFile
        self.readHost = readHost
        self.applicationName = applicationName
    }
}
