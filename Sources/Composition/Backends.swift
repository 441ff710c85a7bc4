import Foundation
import Model
import Operations
import Pipeline
import Settings
import Waiting

/// The queue, the store and the heartbeats that this machine's settings choose.
package struct Backends: Sendable {
    /// The broker, or the embedded queue.
    package var queue: Queue
    /// PostgreSQL, or the embedded store.
    package var store: Store
    /// The tables and indexes of the store.
    package var schema: any Schema
    /// nil if nobody wants heartbeats.
    package var heartbeats: (any HeartbeatStore)?
    /// A description for the log: `queue, store and heartbeats in farm.db`.
    package var description: String

    /// Opens all three and brings the tables of the store up to date.
    /// - Throws: `PortFault`.
    package static func open(_ connections: Connections) async throws -> Backends {
        let (store, schema) = try await connections.store()
        return Backends(
            queue: try await connections.queue(), store: store, schema: schema,
            heartbeats: try await connections.heartbeats()?.store,
            description: connections.settings.chosenBackends)
    }

    /// Opens them as soon as their servers are there.
    /// - Throws: `PortFault` for a fault that does not pass by itself, `CancellationError`.
    package static func openWhenReachable(_ connections: Connections) async throws -> Backends {
        var backOff = BackOff(base: .milliseconds(500), limit: .seconds(10))
        var isTold = false
        while true {
            do {
                let parts = try await open(connections)
                if isTold { connections.log.notice("connected") }
                return parts
            } catch let fault as PortFault where fault.kind == .transient {
                await connections.close()
                if !isTold { connections.log.warning("waiting for it: \(fault)") }
                isTold = true
                try await connections.time.sleep(backOff.next())
            }
        }
    }
}

/// What `farm status` reads: the broker, and the store or its replica. Each is opened when it is asked for, and tried
/// again each time, so that one that is out of reach does not affect the other.
package actor ReadingBackends: ReadingParts {
    private let connections: Connections
    private var openQueue: Queue?
    private var openStore: Store?

    package init(_ connections: Connections) { self.connections = connections }

    /// - Throws: `PortFault`.
    package func queue() async throws -> Queue {
        if let openQueue { return openQueue }
        let queue = try await connections.queue()
        openQueue = queue
        return queue
    }

    /// - Throws: `PortFault`.
    package func store() async throws -> Store {
        if let openStore { return openStore }
        let store = try await connections.store(readsOnly: true).store
        openStore = store
        return store
    }
}

extension Settings {
    /// The database that is read, for people who expected something in it: `in /srv/farm/farm.db; no .env here`.
    package var storeText: String {
        if let database { return "in \(database.place)" }
        let isDefault = environmentFile == nil && !embeddedPathIsExplicit
        return "in \(PathText.absolute(embeddedPath))" + (isDefault ? "; no .env here" : "")
    }

    /// Which queue, store and monitoring database are chosen, for people.
    fileprivate var chosenBackends: String {
        let heartbeats = monitoringEnabled ? monitoring.map { $0.place } : database == nil ? embeddedPath : nil
        let places = [
            ("queue", queue?.place ?? embeddedPath), ("store", database?.place ?? embeddedPath),
            ("heartbeats", heartbeats ?? "nowhere (ENABLE_MONITORING is not set)"),
        ]
        guard let first = places.first, places.contains(where: { $0.1 != first.1 }) else {
            return "queue, store and heartbeats in \(embeddedPath)"
        }
        return places.map { "\($0) \($1)" }.joined(separator: ", ")
    }
}

extension QueueSettings {
    fileprivate var place: String {
        "RabbitMQ \(virtualHost) on \(hosts.joined(separator: ",")):\(port)\(tls ? " by TLS" : "")"
    }
}

extension DatabaseSettings {
    fileprivate var place: String { "PostgreSQL \(name) on \(host):\(port)" }
}

extension MonitoringSettings {
    fileprivate var place: String { "MariaDB \(name) on \(host):\(port)" }
}
