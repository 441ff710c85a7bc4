import CMariaDB
import Pipeline

extension PortFault {
    /// What a fault means for the caller, and how to mend it.
    init(_ fault: ServerFault, _ options: MariaDBOptions) {
        let (kind, message) = PortFault.known(fault, options) ?? PortFault.byFamily(fault, options)
        self.init(kind, place: options.place, message: "\(message) (\(fault.number): \(fault.message))")
    }

    private static func known(_ fault: ServerFault, _ options: MariaDBOptions) -> (Kind, String)? {
        let user = options.user
        switch fault.number {
        case ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
            return (
                .unusable,
                "refuses \(user) or its password: check MONITORING_DB_USER, MONITORING_DB_PASSWORD and from which hosts "
                    + "\(user) may log in"
            )
        case ER_HOST_NOT_PRIVILEGED:
            return (.unusable, "lets nobody in from this box: CREATE USER '\(user)'@'%' and grant it its rights there")
        case ER_HOST_IS_BLOCKED: return (.unusable, "has blocked this box: run `mariadb-admin flush-hosts` there")
        case ER_MUST_CHANGE_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN:
            return (.unusable, "the password of \(user) has expired: ALTER USER it there")
        case ER_ACCOUNT_HAS_BEEN_LOCKED, 3118:
            return (.unusable, "\(user) is locked: ALTER USER … ACCOUNT UNLOCK there")
        case ER_BAD_DB_ERROR:
            return (.unusable, "no such database: check MONITORING_DB_NAME, or CREATE DATABASE \(options.name) there")
        case ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR,
            ER_SPECIFIC_ACCESS_DENIED_ERROR:
            return (.unusable, "\(user) lacks a permission; an administrator runs: \(options.grant)")
        case ER_NO_SUCH_TABLE:
            return (.unusable, "the table worker_heartbeats is missing: `farm init` makes it, or prints the SQL")
        case ER_BAD_FIELD_ERROR:
            return (.unusable, "worker_heartbeats lacks a column: `farm init` adds it, or prints the SQL")
        case CR_SSL_CONNECTION_ERROR:
            return (
                .unusable,
                "TLS failed: check that the server speaks it, MONITORING_DB_CA_FILE, and that its certificate is for "
                    + options.host
            )
        case CR_AUTH_PLUGIN_CANNOT_LOAD, ER_NOT_SUPPORTED_AUTH_MODE, CR_SECURE_AUTH, CR_AUTH_PLUGIN_ERR:
            return (
                .unusable,
                "wants a way to log in that libmariadb lacks here: ALTER USER \(user) to caching_sha2_password, or "
                    + "mysql_native_password"
            )
        case CR_VERSION_ERROR, CR_MALFORMED_PACKET:
            return (.unusable, "what answers there is neither MariaDB nor MySQL: check MONITORING_DB_PORT")
        case CR_UNKNOWN_HOST:
            return (.transient, "no such host is known: check MONITORING_DB_HOST and the name service")
        default: return nil
        }
    }

    /// 4031 and 3169: see `ServerFault`.
    private static let passing: Set<Int32> = [
        ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED, ER_OUT_OF_RESOURCES, ER_OUTOFMEMORY,
        ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_QUERY_INTERRUPTED, ER_MAX_PREPARED_STMT_COUNT_REACHED,
        ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED, ER_NORMAL_SHUTDOWN, ER_NEED_REPREPARE, ER_UNKNOWN_STMT_HANDLER,
        ER_STATEMENT_TIMEOUT, 4031, 3169,
    ]

    private static func byFamily(_ fault: ServerFault, _ options: MariaDBOptions) -> (Kind, String) {
        switch fault.number {
        case ER_DISK_FULL, ER_RECORD_FILE_FULL, ER_ERROR_ON_WRITE:
            return (.transient, "its disk is full: make room there")
        case ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE:
            return (.transient, "is read-only: MONITORING_DB_HOST must be the primary")
        case ER_DATA_TOO_LONG, ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ER_WARN_DATA_OUT_OF_RANGE, ER_TRUNCATED_WRONG_VALUE,
            WARN_DATA_TRUNCATED, ER_BAD_NULL_ERROR, ER_DUP_ENTRY:
            return (.refused, "these values are refused")
        case _ where passing.contains(fault.number): return (.transient, "could not do it now")
        case _ where fault.isOfLibrary:
            let checks =
                options.isSocket ? "MONITORING_DB_HOST" : "MONITORING_DB_HOST, MONITORING_DB_PORT and the firewall"
            return (.transient, "out of reach: check that it runs, \(checks)")
        default: return (.unusable, "refused the statement")
        }
    }
}
