import Pipeline

extension PortFault {
    /// What a fault means for the caller, and how to mend it.
    init(_ fault: ServerFault, _ server: Server) {
        let options = server.options
        let details = [fault.object, fault.message, fault.state].compactMap { $0 }.joined(separator: ", ")
        func made(_ kind: Kind, _ message: String) -> PortFault {
            PortFault(kind, place: server.place, message: "\(message) (\(details))")
        }
        guard let state = fault.state else {
            if fault.isOfTLS {
                self = made(
                    .unusable, "TLS failed: check DB_SSLMODE (\(options.sslMode)), DB_CA_FILE and the server's name")
            } else if fault.lacksPassword {
                self = made(.unusable, "asks \(options.user) for a password: set DB_PASSWORD")
            } else {
                self = made(.transient, "out of reach: check that it runs, DB_HOST, DB_PORT and the firewall")
            }
            return
        }
        self =
            switch state {
            case "28P01": made(.unusable, "refuses the password of \(options.user): check DB_USER and DB_PASSWORD")
            case "28000":
                made(.unusable, "does not let \(options.user) in: check DB_USER and the server's pg_hba.conf")
            case "3D000":
                made(
                    .unusable,
                    "no such database: check DB_NAME, or CREATE DATABASE \(options.name) OWNER \(options.user)")
            case "42501":
                made(
                    .unusable,
                    "\(options.user) lacks a permission: GRANT SELECT, INSERT, UPDATE, DELETE ON the tables and USAGE ON "
                        + "their sequences to it")
            case ServerFault.tooOld: made(.unusable, "is too old: upgrade it, or set DB_HOST to a newer one")
            case "53100": made(.transient, "its disk is full: make room there")
            case "53300":
                made(.transient, "too many connections: raise max_connections, or run fewer roles in more processes")
            case "25006":
                made(.unusable, "is read-only, a replica or a server in recovery: DB_HOST must be the primary")
            case "55P03": made(.transient, "waited too long for a lock: another program holds it")
            case "57014": made(.transient, "a statement took too long and was cancelled")
            default: PortFault.byClass(String(state.prefix(2)), made)
            }
    }

    private static func byClass(_ group: String, _ made: (Kind, String) -> PortFault) -> PortFault {
        switch group {
        // Of what triggers and functions of other programs raise (2F, 38, 39, P0) some may be about the values.
        case "21", "22", "23", "2F", "38", "39", "44", "54", "P0": made(.refused, "these values are refused")
        case "08", "25", "40", "53", "55", "57", "58": made(.transient, "could not do it now")
        case "42", "3F", "0A": made(.unusable, "does not fit this farm: `farm init` brings its tables up to date")
        case "XX": made(.unusable, "reports damage: look at its log")
        default: made(.unusable, "refused the statement")
        }
    }
}
