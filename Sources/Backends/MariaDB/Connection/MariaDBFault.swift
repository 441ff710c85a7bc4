import CMariaDB

/// An error as libmariadb reports it.
struct MariaDBFault: Error {
    /// Below 2000 and from 3000 on it is the server's (mysqld_error.h); in between and from 5000 on, the library's
    /// (errmsg.h).
    var number: Int32
    /// One line, without a password.
    var message: String

    init(number: Int32, message: String) {
        self.number = number
        self.message = message
    }

    init(connection: UnsafeMutablePointer<MYSQL>) {
        self.init(number: Int32(mysql_errno(connection)), message: String(cString: mysql_error(connection)))
    }

    init(statement: UnsafeMutablePointer<MYSQL_STMT>) {
        self.init(number: Int32(mysql_stmt_errno(statement)), message: String(cString: mysql_stmt_error(statement)))
    }

    /// MySQL's and MariaDB's number if TLS is required of all users (require_secure_transport).
    static let insecureTransport: Int32 = 3159

    /// Who reported it, in whose words, with the number.
    var words: String { "\(isOfLibrary ? "no connection" : "the server said"): \(message) (\(number))" }

    /// Whether the library could not send or read. Then the state of the connection's protocol is unknown.
    var isOfLibrary: Bool {
        (CR_MIN_ERROR...CR_MAX_ERROR).contains(number) || (CER_MIN_ERROR...CER_MAX_ERROR).contains(number)
    }

    /// Whether the connection cannot be used any more.
    var isLost: Bool { isOfLibrary || MariaDBFault.endings.contains(number) }

    /// Not in Debian's header: MySQL's "disconnected because of inactivity" and "session was killed".
    private static let endings: Set<Int32> = [
        ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED, ER_NORMAL_SHUTDOWN, ER_UNKNOWN_STMT_HANDLER, 4031, 3169,
    ]

    /// Whether the user lacks a right, which an administrator has to grant.
    var isOfPermission: Bool {
        [
            ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR,
            ER_SPECIFIC_ACCESS_DENIED_ERROR,
        ].contains(number)
    }
}
