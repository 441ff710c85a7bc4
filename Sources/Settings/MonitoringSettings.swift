/// The MySQL or MariaDB server for heartbeats: MONITORING_DB_*.
public struct MonitoringSettings: Sendable, Equatable {
    /// A host name or address.
    public var host: String
    /// MONITORING_DB_PORT, 3306 unless set.
    public var port: Int
    /// The name of the database.
    public var name: String
    /// The user that logs in. It needs SELECT, INSERT and UPDATE.
    public var user: String
    /// Its password.
    public var password: Secret
    /// Whether TLS is required.
    public var tls: Bool
    /// Certificates to trust. nil for the system's.
    public var caFile: String?
}

extension MonitoringSettings {
    static let group: [Variable] = [.monitoringHost, .monitoringName, .monitoringUser, .monitoringPassword]

    init?(_ variables: Variables) {
        let host = variables.host(.monitoringHost)
        let port = variables.port(.monitoringPort) ?? 3306
        let name = variables.text(.monitoringName)
        let user = variables.text(.monitoringUser)
        let password = variables.secret(.monitoringPassword)
        let tls = variables.flag(.monitoringTLS) ?? false
        let caFile = variables.certificates(.monitoringCAFile)
        guard let host, let name, let user, let password else { return nil }

        if caFile != nil && !tls {
            variables.findings.warning("MONITORING_DB_CA_FILE", "has no effect without MONITORING_DB_TLS=true")
        }
        self.init(host: host, port: port, name: name, user: user, password: password, tls: tls, caFile: caFile)
    }
}
