import Model

/// Where the monitoring database is and how to log in there.
public struct MariaDBOptions: Sendable {
    /// A host name or address, always by TCP, even for "localhost"; or the absolute path of a Unix socket.
    ///
    /// For libmariadb "localhost" would mean its compiled-in socket, whatever the port. The programs that have shared
    /// this setting so far (mysql-connector for Python) use TCP, and a server in a container has no socket here.
    public var host: String
    /// The port. It has no meaning for a socket.
    public var port: Int
    /// The name of the database.
    public var name: String
    /// The user that logs in. It needs only SELECT, INSERT and UPDATE.
    public var user: String
    /// The password. It is asked for at every connection, and never printed.
    public var password: @Sendable () -> String
    /// Whether TLS is required, with the certificate and name of the server verified.
    public var tls: Bool
    /// Certificates to trust. nil for the system's.
    public var caFile: String?

    /// Options with the defaults of MariaDB and MySQL.
    public init(
        host: String, port: Int = 3306, name: String, user: String, password: @Sendable @escaping () -> String,
        tls: Bool = false, caFile: String? = nil
    ) {
        self.host = host
        self.port = port
        self.name = name
        self.user = user
        self.password = password
        self.tls = tls
        self.caFile = caFile
    }

    var isSocket: Bool { PathText.isAbsolute(host) }

    /// For messages: `database monitoring on k1:3306`.
    var place: String { "database \(name) on " + (isSocket ? host : "\(host):\(port)") }

    /// The SQL with which an administrator grants the user what it needs.
    /// - Parameter account: the account under which the server knows the user, `farm@192.168.0.%`. nil for the user
    ///   from any host.
    func grant(to account: String? = nil) -> String {
        // A host contains no @, while a user's name may.
        let at = account?.lastIndex(of: "@")
        let (name, host) =
            account.flatMap { text in at.map { (text[..<$0], text[text.index(after: $0)...]) } } ?? (user[...], "%")
        let quotedAccount = "\(MariaDBOptions.quoted(String(name), "'"))@\(MariaDBOptions.quoted(String(host), "'"))"
        return "GRANT SELECT, INSERT, UPDATE ON \(MariaDBOptions.quoted(self.name, "`")).* TO \(quotedAccount);"
    }

    /// The database as SQL names it.
    var quotedName: String { MariaDBOptions.quoted(name, "`") }

    private static func quoted(_ text: String, _ mark: String) -> String {
        mark + text.replacing("\\", with: mark == "'" ? "\\\\" : "\\").replacing(mark, with: mark + mark) + mark
    }
}
