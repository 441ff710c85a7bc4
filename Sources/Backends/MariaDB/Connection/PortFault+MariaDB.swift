import CMariaDB
import Pipeline

extension PortFault {
    /// What a fault means for the caller: the server's words, and then a guess at the cause, marked as a guess.
    init(_ fault: MariaDBFault, _ options: MariaDBOptions) {
        let (kind, guess) = PortFault.known(fault, options) ?? PortFault.byFamily(fault, options)
        self.init(kind, place: options.place, message: fault.words + (guess.map { "; perhaps \($0)" } ?? ""))
    }

    /// - Returns: the kind, and the text after "perhaps".
    private static func known(_ fault: MariaDBFault, _ options: MariaDBOptions) -> (Kind, String?)? {
        let user = options.user
        switch fault.number {
        case ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
            // The server says the same about a wrong password and about a user that has to use TLS.
            let tls = options.tls ? "" : ", or may only log in by TLS (set MONITORING_DB_TLS=true)"
            return (
                .unusable,
                "\(user) has another password there, may not log in from this machine\(tls): check MONITORING_DB_USER, "
                    + "MONITORING_DB_PASSWORD and, there, SHOW CREATE USER"
            )
        case ER_HOST_NOT_PRIVILEGED:
            return (
                .unusable,
                "no user may log in from this machine: CREATE USER '\(user)'@'%' and grant it its rights there"
            )
        case ER_HOST_IS_BLOCKED:
            return (
                .unusable, "too many connections from this machine broke off: run `mariadb-admin flush-hosts` there"
            )
        case ER_MUST_CHANGE_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN:
            return (.unusable, "the password of \(user) has expired: ALTER USER it there")
        case ER_ACCOUNT_HAS_BEEN_LOCKED, 3118:
            return (.unusable, "an administrator has locked \(user): ALTER USER … ACCOUNT UNLOCK there")
        case ER_BAD_DB_ERROR:
            return (
                .unusable,
                "it has not been made: check MONITORING_DB_NAME, or CREATE DATABASE \(options.quotedName) there"
            )
        case ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR,
            ER_SPECIFIC_ACCESS_DENIED_ERROR:
            return (.unusable, "\(user) lacks a right; an administrator runs: \(options.grant())")
        case ER_NO_SUCH_TABLE:
            return (.unusable, "the table has not been made: `farm init` makes it, or prints the SQL")
        case ER_BAD_FIELD_ERROR:
            return (.unusable, "the table is an older one: `farm init` adds the column, or prints the SQL")
        default: return unconnected(fault, options)
        }
    }

    /// Why this side and the server cannot understand each other.
    private static func unconnected(_ fault: MariaDBFault, _ options: MariaDBOptions) -> (Kind, String?)? {
        switch fault.number {
        case CR_SSL_CONNECTION_ERROR:
            return (
                .unusable,
                "its TLS settings are different: check that the server speaks it, MONITORING_DB_CA_FILE, and that its certificate "
                    + "is for \(options.host)"
            )
        case MariaDBFault.insecureTransport: return (.unusable, "it accepts only TLS: set MONITORING_DB_TLS=true")
        case CR_AUTH_PLUGIN_CANNOT_LOAD, ER_NOT_SUPPORTED_AUTH_MODE, CR_SECURE_AUTH, CR_AUTH_PLUGIN_ERR:
            return (
                .unusable,
                "\(options.user) logs in in a way that libmariadb lacks here: ALTER USER it to caching_sha2_password, or "
                    + "mysql_native_password"
            )
        case CR_VERSION_ERROR, CR_MALFORMED_PACKET:
            return (.unusable, "what answers there is neither MariaDB nor MySQL: check MONITORING_DB_PORT")
        case CR_UNKNOWN_HOST:
            return (.transient, "the name is wrong or the name service away: check MONITORING_DB_HOST")
        default: return nil
        }
    }

    /// 4031 and 3169: see `MariaDBFault`.
    private static let passing: Set<Int32> = [
        ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED, ER_OUT_OF_RESOURCES, ER_OUTOFMEMORY,
        ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_QUERY_INTERRUPTED, ER_MAX_PREPARED_STMT_COUNT_REACHED,
        ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED, ER_NORMAL_SHUTDOWN, ER_NEED_REPREPARE, ER_UNKNOWN_STMT_HANDLER,
        ER_STATEMENT_TIMEOUT, 4031, 3169,
    ]

    private static func byFamily(_ fault: MariaDBFault, _ options: MariaDBOptions) -> (Kind, String?) {
        switch fault.number {
        case ER_DISK_FULL, ER_RECORD_FILE_FULL, ER_ERROR_ON_WRITE:
            return (.transient, "its disk is full: make room there")
        case ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE:
            return (.transient, "it is a replica or set to read_only: MONITORING_DB_HOST must be the primary")
        case ER_DATA_TOO_LONG, ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ER_WARN_DATA_OUT_OF_RANGE, ER_TRUNCATED_WRONG_VALUE,
            WARN_DATA_TRUNCATED, ER_BAD_NULL_ERROR:
            return (.refused, nil)
        case ER_DUP_ENTRY: return (.refused, "the ids of the table are used up: `farm check` tells how many are left")
        // 167 is the engine's HA_ERR_AUTOINC_ERANGE.
        case ER_AUTOINC_READ_FAILED, 167:
            return (.unusable, "the ids of the table are used up: `farm check` tells how many are left")
        case _ where passing.contains(fault.number): return (.transient, nil)
        case _ where fault.isOfLibrary:
            let checks =
                options.isSocket ? "MONITORING_DB_HOST" : "MONITORING_DB_HOST, MONITORING_DB_PORT and the firewall"
            return (.transient, "it is out of reach: check that it runs, \(checks)")
        default: return (.unusable, nil)
        }
    }
}
