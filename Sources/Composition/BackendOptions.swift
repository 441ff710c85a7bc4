import MariaDB
import Pipeline
import PostgreSQL
import RabbitMQ
import Settings

extension RabbitMQOptions {
    init(_ settings: QueueSettings, events: EventStream = .unheard) {
        self.init(
            hosts: settings.hosts, port: settings.port, user: settings.user, password: settings.password.reveal,
            virtualHost: settings.virtualHost, tls: settings.tls, caFile: settings.caFile,
            queueType: settings.type == .quorum ? .quorum : .classic, connectionName: ThisProcess.connectionName,
            events: events)
    }
}

extension PostgreSQLOptions {
    init(_ settings: DatabaseSettings) {
        self.init(
            host: settings.host, port: settings.port, name: settings.name, user: settings.user,
            password: settings.password.reveal, sslMode: settings.sslMode.rawValue, caFile: settings.caFile,
            readHost: settings.readHost, applicationName: ThisProcess.connectionName)
    }
}

extension MariaDBOptions {
    init(_ settings: MonitoringSettings) {
        self.init(
            host: settings.host, port: settings.port, name: settings.name, user: settings.user,
            password: settings.password.reveal, tls: settings.tls, caFile: settings.caFile)
    }
}
