import Embedded
import Foundation
import Logging
import MariaDB
import Operations
import Pipeline
import PostgreSQL
import RabbitMQ
import Settings
import Telemetry
import Waiting

/// Opens what the settings name, each part when it is asked for. Only this type knows which backends there are.
package actor Connections {
    /// The settings that choose the backends.
    package let settings: Settings
    /// The clock of everything that is opened.
    package let time: any Timekeeper
    /// Receives lost and restored connections.
    package let log: Logger
    private let events: EventStream
    /// The file that the embedded parts share.
    private var file: EmbeddedDatabase?
    private var closing: [@Sendable () async -> Void] = []

    package init(_ context: ProgramContext) {
        settings = context.settings
        time = context.time
        log = context.log("farm")
        events = context.events()
    }

    /// - Throws: `PortFault`.
    package func queue() async throws -> Queue {
        let queue = try await openQueue()
        return events.isHeard ? ObservedQueue(queue, events: events, time: time) : queue
    }

    private func openQueue() async throws -> Queue {
        guard let options = settings.queue else { return EmbeddedQueue(try await embedded()) }
        guard !(options.partitions && options.hosts.count > 1) else {
            throw PortFault(
                .unusable, place: "QUEUE_PARTITIONS=true",
                message:
                    "this version of farm does not spread jobs over brokers; unset it, and the hosts of QUEUE_HOST "
                    + "are used one after another")
        }
        let queue = try await RabbitMQQueue(RabbitMQOptions(options, events: events), time: time, log: log)
        closing.append { await queue.close() }
        return queue
    }

    /// - Parameter readsOnly: whether the tables are not brought up to date, and a replica may be used.
    /// - Throws: `PortFault`.
    package func store(readsOnly: Bool = false) async throws -> (store: Store, schema: any Schema) {
        guard let options = settings.database else {
            let file = try await embedded()
            return (EmbeddedStore(file), file)
        }
        let database = try await PostgreSQLDatabase(
            PostgreSQLOptions(options), time: time, log: log, readsOnly: readsOnly)
        closing.append { await database.close() }
        return (PostgreSQLStore(database), database)
    }

    /// Where this machine's roles write their heartbeats. nil for nowhere.
    /// - Throws: `PortFault` for the embedded file. MariaDB is connected only when it is needed.
    package func heartbeats() async throws -> (store: any HeartbeatStore, schema: any Schema)? {
        if settings.monitoringEnabled { return monitoringDatabase() }
        guard settings.database == nil else { return nil }
        let file = try await embedded()
        return (EmbeddedHeartbeats(file), file)
    }

    /// Where `farm monitor` reads: the monitoring database if it is set, or else where the roles write.
    /// - Returns: nil if there is neither.
    /// - Throws: `PortFault`.
    package func monitoring() async throws -> (any HeartbeatStore)? {
        if let database = monitoringDatabase() { return database.store }
        return try await heartbeats()?.store
    }

    /// The monitoring database, if it is set.
    package func monitoringDatabase() -> (store: any HeartbeatStore, schema: any Schema)? {
        guard let options = settings.monitoring else { return nil }
        let heartbeats = MariaDBHeartbeats(MariaDBOptions(options), time: time, log: log)
        closing.append { await heartbeats.close() }
        return (heartbeats, heartbeats)
    }

    /// Closes what was opened, the newest first.
    package func close() async {
        file = nil
        while let last = closing.popLast() { await last() }
    }

    private func embedded() async throws -> EmbeddedDatabase {
        if let file { return file }
        let opened = try await EmbeddedDatabase(path: settings.embeddedPath, time: time, log: log)
        closing.append { await opened.close() }
        file = opened
        return opened
    }
}
