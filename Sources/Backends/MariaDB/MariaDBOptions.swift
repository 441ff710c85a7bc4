import Model

/// Where the monitoring database is and how to log in there.
public struct MariaDBOptions: Sendable {
    /// A host name or address, always by TCP, "localhost" too; or the absolute path of a Unix socket.
    ///
    /// To libmariadb "localhost" would mean its compiled-in socket, whatever the port. The programs that shared this
    /// setting so far (mysql-connector for Python) go by TCP, and a server in a container has no socket here.
    public var host: String
    /// The port, without meaning for a socket.
    public var port: Int
    /// The database.
    public var name: String
    /// The user that logs in; SELECT, INSERT and UPDATE are all it needs.
    public var user: String
    /// Its password, asked for at every connection; it is never printed.
    public var password: @Sendable () -> String
    /// TLS or nothing, with the server's certificate and name verified.
    public var tls: Bool
    /// Certificates to trust; nil: the system's.
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

    /// What an administrator runs to give the user what it needs.
    /// - Parameter account: as the server knows the user, `farm@192.168.0.%`; nil: the user, from any host.
    func grant(to account: String? = nil) -> String {
        // A host has no @, which a user's name may have.
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
