import Foundation
import MariaDB
import PostgreSQL
import RabbitMQ
import Settings

extension RabbitMQOptions {
    init(_ settings: QueueSettings) {
        self.init(
            hosts: settings.hosts, port: settings.port, user: settings.user, password: settings.password.reveal,
            virtualHost: settings.virtualHost, tls: settings.tls, caFile: settings.caFile,
            queueType: settings.type == .quorum ? .quorum : .classic, connectionName: ProgramName.ofThisProcess)
    }
}

extension PostgreSQLOptions {
    init(_ settings: DatabaseSettings) {
        self.init(
            host: settings.host, port: settings.port, name: settings.name, user: settings.user,
            password: settings.password.reveal, sslMode: settings.sslMode.rawValue, caFile: settings.caFile,
            readHost: settings.readHost, applicationName: ProgramName.ofThisProcess)
    }
}

extension MariaDBOptions {
    init(_ settings: MonitoringSettings) {
        self.init(
            host: settings.host, port: settings.port, name: settings.name, user: settings.user,
            password: settings.password.reveal, tls: settings.tls, caFile: settings.caFile)
    }
}

/// What servers list our connections by.
private enum ProgramName {
    static let ofThisProcess =
        "farm \(Fleet.hostname.prefix(40)) \(ProcessInfo.processInfo.processIdentifier)"
}
