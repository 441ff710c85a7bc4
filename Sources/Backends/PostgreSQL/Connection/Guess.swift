/// The most likely cause of a server's message, and what to do about it. It is a guess, and follows the server's words
/// as such.
enum Guess {
    /// - Returns: the text after "perhaps". nil if the server's words have to do.
    static func cause(of fault: PostgreSQLFault, _ options: PostgreSQLOptions) -> String? {
        guard let state = fault.state else {
            switch fault.lack {
            case .tls:
                return
                    "its TLS settings are different: check DB_SSLMODE (\(options.sslMode)), DB_CA_FILE and the server's name"
            case .password: return "it wants a password for \(options.user): set DB_PASSWORD"
            case nil: return "it is out of reach: check that it runs, DB_HOST, DB_PORT and the firewall"
            }
        }
        return access(state, options) ?? tables(state) ?? server(state)
    }

    private static func access(_ state: String, _ options: PostgreSQLOptions) -> String? {
        let user = options.user
        switch state {
        case "28P01": return "\(user) has another password there: check DB_USER and DB_PASSWORD"
        case "28000":
            return
                "there is no such user, or no line of pg_hba.conf lets it in from this machine, or only by TLS: check DB_USER, "
                + "pg_hba.conf and DB_SSLMODE (\(options.sslMode))"
        case "3D000":
            return "it has not been made: check DB_NAME, or CREATE DATABASE \(options.name.quotedName) OWNER "
                + "\(user.quotedName) ENCODING 'UTF8' TEMPLATE template0"
        case "42501":
            return
                "\(user) lacks a right, which `farm check` names: GRANT SELECT, INSERT, UPDATE, DELETE ON the tables and "
                + "USAGE ON their sequences to it"
        case "08P01":
            return
                "a pooler is in between and refuses (PgBouncer gives all its own messages this code): look at its log. farm "
                + "needs pool_mode transaction or session"
        case "26000", "42P05":
            return
                "there is a pooler in between that farm has not recognised: farm prepares its statements only where the "
                + "server answers itself"
        case PostgreSQLFault.tooOld: return "another one was meant: check DB_HOST, or upgrade it"
        default: return nil
        }
    }

    private static func tables(_ state: String) -> String? {
        switch state {
        case "42P01", "42703", "42883", "42P10", "3F000":
            return "the tables are not up to date, or search_path leads elsewhere: run `farm init`"
        case "42804", "42846": return "a column has another type than farm's: `farm check` names it"
        case "0A000":
            return
                "this is a standby or in recovery, which takes no writes (DB_HOST must be the primary), or somebody has "
                + "just changed a table"
        case "25006":
            return
                "this is a replica or in recovery, or default_transaction_read_only is set: DB_HOST must be a primary that "
                + "takes writes"
        case "2200H": return "the ids of this table are used up: `farm check` tells how full each sequence is"
        case "22003":
            return "the ids of a column of type integer are used up: `farm check` tells how full each sequence is"
        case "22P05", "22021":
            return "the database does not have the encoding UTF8, and cannot hold this text: see `farm check`"
        case "23505": return "another program made a unique index that farm's rows violate"
        case "23514": return "another program made a constraint, or the partition that the row belongs to is missing"
        case "2F000", "38000", "39000", "P0001":
            return "a trigger or function of another program refuses the row"
        case "23502", "23503": return "another program made a constraint that farm's rows violate"
        default: return nil
        }
    }

    private static func server(_ state: String) -> String? {
        switch state {
        case "53100": return "its disk is full: make room there"
        case "53200": return "its memory is used up, or max_locks_per_transaction is too low"
        case "53300":
            return
                "max_connections, or the limit of this role or database, is reached: raise it, or run fewer processes"
        case "55P03": return "another program holds the lock: see pg_stat_activity there"
        case "57014":
            return "the statement took too long for a limit of the server's or farm's (statement_timeout), or somebody "
                + "cancelled it"
        case "57P01", "57P02", "57P03": return "it is starting or stopping"
        case "57P05", "25P03": return "a limit of the server's for idle sessions is shorter than farm's"
        case "58030": return "its disk fails: look at its log"
        case "XX001", "XX002": return "its files are damaged: look at its log"
        default: return nil
        }
    }
}

extension String {
    /// The text as a name in SQL, whatever characters it contains.
    var quotedName: String { "\"\(replacing("\"", with: "\"\""))\"" }
}
