import CMariaDB
import Glibc

/// One connection. Its calls block, each for at most the seconds it was opened with. It belongs to the queue of a
/// `ConnectionQueue`.
final class MariaDBConnection {
    private static let library = mysql_server_init(0, nil, nil)

    private let handle: UnsafeMutablePointer<MYSQL>
    /// The prepared statements, by their SQL.
    private var statements: [String: Statement] = [:]

    /// Who may read what crosses the network.
    enum Protection {
        case clear
        /// TLS with whoever answers. Nobody can read along, but somebody may be in between.
        case encrypted
        /// TLS with the server that the certificate names.
        case verified
    }

    /// Connects.
    /// - Parameters:
    ///   - protection: nil for what the options say.
    ///   - seconds: how long connecting, and then each wait for the server, may take.
    /// - Throws: `MariaDBFault`.
    init(_ options: MariaDBOptions, protection: Protection? = nil, seconds: UInt32) throws {
        guard MariaDBConnection.library == 0, let handle = mysql_init(nil) else {
            throw MariaDBFault(number: CR_OUT_OF_MEMORY, message: "no memory left")
        }
        self.handle = handle
        limit(seconds)
        protect(options, protection ?? (options.tls ? .verified : .clear))
        let password = options.password()
        let connected = mysql_real_connect(
            handle, options.isSocket ? nil : options.host, options.user, password, options.name,
            options.isSocket ? 0 : UInt32(clamping: options.port), options.isSocket ? options.host : nil, 0)
        guard connected != nil else { throw MariaDBFault(connection: handle) }
        // Without strict mode, what does not fit a column becomes `?` or is cut, and a heartbeat is never refused
        // because of it.
        try execute(
            """
            SET SESSION time_zone = '+00:00', sql_mode = '', autocommit = 1, lock_wait_timeout = \(seconds),
            innodb_lock_wait_timeout = \(seconds)
            """)
    }

    deinit {
        statements.removeAll()
        mysql_close(handle)
    }

    // MARK: Options

    private func limit(_ seconds: UInt32) {
        for option in [MYSQL_OPT_CONNECT_TIMEOUT, MYSQL_OPT_READ_TIMEOUT, MYSQL_OPT_WRITE_TIMEOUT] {
            withUnsafePointer(to: seconds) { _ = mysql_options(handle, option, $0) }
        }
        // A server must not make this side send one of its files.
        set(MYSQL_OPT_LOCAL_INFILE, UInt32(0))
        set(MYSQL_OPT_RECONNECT, my_bool(0))
        mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
    }

    private func protect(_ options: MariaDBOptions, _ protection: Protection) {
        set(MYSQL_OPT_PROTOCOL, options.isSocket ? MYSQL_PROTOCOL_SOCKET.rawValue : MYSQL_PROTOCOL_TCP.rawValue)
        set(MYSQL_OPT_SSL_ENFORCE, my_bool(protection == .clear ? 0 : 1))
        set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, my_bool(protection == .verified ? 1 : 0))
        if protection == .verified, let file = options.caFile { mysql_options(handle, MYSQL_OPT_SSL_CA, file) }
    }

    private func set<Value>(_ option: mysql_option, _ value: Value) {
        withUnsafePointer(to: value) { _ = mysql_options(handle, option, $0) }
    }

    // MARK: Statements

    /// Whether the connection still exists. A server that went away has left the end of the stream in the socket.
    var isAlive: Bool {
        var descriptor = pollfd(fd: mysql_get_socket(handle), events: Int16(POLLIN), revents: 0)
        return descriptor.fd >= 0 && poll(&descriptor, 1, 0) == 0
    }

    /// Runs a statement without parameters and rows.
    /// - Throws: `MariaDBFault`.
    func execute(_ sql: String) throws {
        guard mysql_real_query(handle, sql, UInt(sql.utf8.count)) == 0 else { throw MariaDBFault(connection: handle) }
    }

    /// Runs a prepared statement, which is kept for the next time.
    /// - Returns: the rows, with all values as text.
    /// - Throws: `MariaDBFault`.
    @discardableResult
    func run(_ sql: String, _ values: [String?] = []) throws -> [[String?]] {
        if let statement = statements[sql] { return try statement.run(values) }
        let statement = try Statement(sql, on: handle)
        statements[sql] = statement
        return try statement.run(values)
    }
}
