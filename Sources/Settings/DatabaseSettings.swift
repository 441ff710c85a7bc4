import Model

/// The PostgreSQL server: DB_*.
public struct DatabaseSettings: Sendable, Equatable {
    /// The value of libpq's `sslmode`.
    public enum SSLMode: String, Sendable, CaseIterable {
        case disable
        case allow
        case prefer
        case require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    /// A host name or address, or the folder of a Unix socket.
    public var host: String
    /// DB_PORT, 5432 unless set.
    public var port: Int
    /// The name of the database.
    public var name: String
    /// The role that logs in.
    public var user: String
    /// Its password.
    public var password: Secret
    /// How strictly TLS is required, `prefer` unless set.
    public var sslMode: SSLMode
    /// Certificates to trust. nil for the system's.
    public var caFile: String?
    /// A replica from which status, show and export read. Its port, name and user are the same.
    public var readHost: String?
}

extension DatabaseSettings {
    static let group: [Variable] = [.databaseHost, .databaseName, .databaseUser, .databasePassword]

    init?(_ variables: Variables) {
        let host = variables.hostOrSocket(.databaseHost)
        let port = variables.port(.databasePort) ?? 5432
        let name = variables.text(.databaseName)
        let user = variables.text(.databaseUser)
        let password = variables.secret(.databasePassword)
        let modes: KeyValuePairs<String, SSLMode> = [
            "disable": .disable, "allow": .allow, "prefer": .prefer, "require": .require, "verify-ca": .verifyCA,
            "verify-full": .verifyFull,
        ]
        let sslMode = variables.choice(.databaseSSLMode, modes) ?? .prefer
        let caFile = variables.certificates(.databaseCAFile)
        let readHost = variables.hostOrSocket(.databaseReadHost)
        guard let host, let name, let user, let password else { return nil }

        if caFile != nil && [.disable, .allow, .prefer].contains(sslMode) {
            let advice = "has no effect with DB_SSLMODE=\(sslMode.rawValue); verify-full checks the certificate"
            variables.findings.warning("DB_CA_FILE", advice)
        }
        self.init(
            host: host, port: port, name: name, user: user, password: password, sslMode: sslMode, caFile: caFile,
            readHost: readHost)
    }
}

extension Variables {
    fileprivate func hostOrSocket(_ variable: Variable) -> String? {
        guard let text = text(variable), PathText.isAbsolute(text) else { return host(variable) }
        return text
    }
}
