import Embedded
import Foundation
import Logging
import Pipeline
import Settings

/// The queue, the store and the heartbeats that this box's settings choose: the only place that knows which they are.
struct Backends: Sendable {
    var queue: any JobQueue & QueueAdministration
    var store: any ResultStore & ImageCatalogue & Reports
    var schema: any Schema
    /// nil where nobody wants heartbeats.
    var heartbeats: (any HeartbeatStore)?
    /// For the banner: `queue and store farm.db, heartbeats there too`.
    var description: String
    var close: @Sendable () async -> Void

    /// Opens what the settings name, and brings an embedded file up to date.
    /// - Throws: `CommandFailure`, `PortFault`.
    static func open(_ settings: Settings, time: any Timekeeper, log: Logger) async throws -> Backends {
        guard settings.queue == nil, settings.database == nil else {
            throw CommandFailure.unusable(
                """
                QUEUE_HOST and DB_HOST choose RabbitMQ and PostgreSQL, which this version of farm does not speak yet.
                Unset both to run embedded, on the file FARM_DB (default farm.db).
                """)
        }
        if settings.monitoringEnabled && settings.monitoring != nil {
            throw CommandFailure.unusable(
                "ENABLE_MONITORING chooses MariaDB, which this version of farm does not speak yet. Unset it: "
                    + "heartbeats then go to the file FARM_DB.")
        }
        let database = try await EmbeddedDatabase(path: settings.embeddedPath, time: time, log: log)
        return Backends(
            queue: EmbeddedQueue(database), store: EmbeddedStore(database), schema: database,
            heartbeats: EmbeddedHeartbeats(database),
            description: "queue, store and heartbeats in \(settings.embeddedPath)", close: { await database.close() })
    }
}
