import Embedded
import Foundation
import Imaging
import MariaDB
import Model
import Operations
import Pipeline
import PostgreSQL
import RabbitMQ
import Services
import Settings

/// What `farm check` looks at: this machine's backends, services and libraries.
package struct MachineProbes {
    private let context: ProgramContext
    private let http = HTTPClient()

    private var settings: Settings { context.settings }

    package init(_ context: ProgramContext) { self.context = context }

    /// The whole check of this machine.
    package var check: MachineCheck {
        MachineCheck(
            settings: warnings, servers: [{ await queue() }, { await store() }],
            queues: { await queues() },
            others: [
                { await heartbeats() }, { await services() }, { [await PictureLibraries.finding()] },
            ])
    }

    private var warnings: [CheckFinding] {
        let path = settings.services.path ?? "no service_config.json: the catalogue on localhost"
        let roles = settings.services.workers.map(\.name) + settings.services.postProcessing.map(\.rawValue)
        return [CheckFinding(.ok, "settings", "\(path); roles of this machine: \(roles.joined(separator: ", "))")]
            + settings.warnings.map { CheckFinding(.warning, "settings", $0) }
    }

    private func queue() async -> [CheckFinding] {
        guard let options = settings.queue else { return await file() }
        let consumers = settings.services.workers.count + settings.services.postProcessing.count
        return await RabbitMQProbe(RabbitMQOptions(options), queues: settings.queues, consumers: consumers).findings()
    }

    private func store() async -> [CheckFinding] {
        guard let options = settings.database else { return settings.queue == nil ? [] : await file() }
        return await PostgreSQLProbe(PostgreSQLOptions(options), rows: rows).findings()
    }

    private func file() async -> [CheckFinding] {
        await EmbeddedProbe.findings(
            settings.embeddedPath, time: context.time, rows: settings.database == nil ? rows : [])
    }

    /// The rows that this machine's roles write.
    private var rows: [PlainRow] {
        PlainRow.of(
            services: settings.services.workers.map(\.name), roles: settings.services.postProcessing)
    }

    /// Empty if the queue or the store is out of reach, since that has been reported already.
    private func queues() async -> [CheckFinding] {
        // A file that does not exist holds nothing, and is not created.
        let usesFile = settings.queue == nil || settings.database == nil
        guard !usesFile || FileManager.default.fileExists(atPath: settings.embeddedPath) else { return [] }
        let connections = Connections(context)
        let check = QueueCheck(services: settings.directory, time: context.time)
        let found = try? await check.findings(
            try await connections.queue(), try await connections.store(readsOnly: true).store)
        await connections.close()
        return found ?? []
    }

    private func heartbeats() async -> [CheckFinding] {
        let connections = Connections(context)
        var findings: [CheckFinding] = []
        if let options = settings.monitoring {
            let database = MariaDBHeartbeats(MariaDBOptions(options), time: context.time, log: context.log("farm"))
            findings = await database.findings()
            await database.close()
        }
        // A file that does not exist has no heartbeats, and is not created.
        guard settings.monitoring != nil || FileManager.default.fileExists(atPath: settings.embeddedPath) else {
            return []
        }
        // If it is out of reach, that has been reported already.
        let shared = try? await connections.monitoring()?.report(MonitorWindows()).sharedIDs
        findings += (shared ?? []).map {
            CheckFinding(.warning, "heartbeats", "two live workers share the id \($0): see WORKER_ID in .env.example")
        }
        await connections.close()
        return findings
    }

    /// This includes the crop services that an enricher of this machine would look for.
    private func services() async -> [CheckFinding] {
        let configured = settings.services.services
        let isEnricher = settings.services.postProcessing.contains(.enricher)
        let assumed = (isEnricher ? settings.services.cropServices : [])
            .filter { name in !configured.contains { $0.name == name } }
            .compactMap { settings.catalogueService(named: $0) }
        return await withTaskGroup(of: (Int, CheckFinding).self) { group in
            for (index, service) in (configured + assumed).enumerated() {
                group.addTask { (index, await http.finding(on: service.address)) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
