import Foundation
import Logging
import Model
import Operations
import Pipeline
import Roles
import Services
import Settings
import Waiting

/// Posts webhooks, in every process that serves the web. It opens queue and store by itself, since the web starts
/// without them.
package struct CallbackServing: Sendable {
    /// Posts to the URLs; its rules say which ones may be used.
    package let poster: any WebhookPoster

    private let context: ProgramContext
    private let webhooks: WebhookSettings
    private let queue: @Sendable () async throws -> Queue
    private let store: @Sendable () async throws -> Store

    private var log: Logger { context.log(Callback.service) }

    /// nil where WEBHOOK_SECRET is not set.
    /// - Parameters:
    ///   - queue: throws `PortFault` while it is out of reach.
    ///   - store: the store that is written. It throws `PortFault` while it is out of reach.
    package init?(
        _ context: ProgramContext, queue: @escaping @Sendable () async throws -> Queue,
        store: @escaping @Sendable () async throws -> Store
    ) {
        guard let webhooks = context.settings.webhooks else { return nil }
        self.webhooks = webhooks
        self.context = context
        self.queue = queue
        self.store = store
        poster = HTTPClient(policy: context.settings.images)
    }

    /// Posts until the drain is done.
    package func run(_ drain: Drain) async {
        let supervisor = Supervisor(time: context.time, log: context.log("supervisor"))
        let role = SupervisedRole(name: Callback.service, fingerprint: "", identity: identity) { drain in
            try await serve(drain)
        }
        await supervisor.run([role], drain: drain)
    }

    private var identity: RoleIdentity {
        let host = ThisProcess.hostname
        return RoleIdentity(
            workerID: context.settings.workerID.id(
                role: "web", service: Callback.service, host: host, pid: ProcessInfo.processInfo.processIdentifier,
                several: true),
            serviceName: Callback.service, nodeHostname: String(host.prefix(50)))
    }

    private func serve(_ drain: Drain) async throws {
        guard let (queue, store) = try await drain.until({ try await openWhenReachable() }) else { return }
        let (time, settings, activity) = (context.time, context.settings, WorkerActivity())
        let control = ControlWatch(store, time: time, log: context.log("control")) { service in
            context.events(EventSource(service: service))
        }
        let parts = CallbackParts(
            store: store, queue: queue, poster: poster, key: WebhookKey(webhooks.key),
            policy: CallbackPolicy(tries: webhooks.tries, delay: settings.retryDelay, patience: webhooks.wait),
            time: time)
        let options = options(control, activity)
        let presence = Presence(
            identity: identity, queue: Callback.queue, interval: settings.heartbeatInterval, register: store,
            condition: { WorkerCondition(.working) },
            figures: WorkerFigureSource(version: context.version, activity: activity), control: options.control,
            time: time,
            notice: HeartbeatOutageNotice(log: log, of: "the workers' states"),
            notes: ProgressNotes(queue: Callback.queue, activity: activity, queues: queue, records: store))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await control.run() }
            defer { group.cancelAll() }
            try await presence.around(drain) { try await CallbackRole(parts).run(options, drain) }
        }
    }

    private func options(_ control: ControlWatch, _ activity: WorkerActivity) -> StageOptions {
        var log = log
        for (key, value) in identity.labels { log[metadataKey: key] = value }
        return StageOptions(
            queue: Callback.queue, workerID: identity.workerID, prefetch: CallbackRole.prefetch,
            drainLimit: context.settings.shutdownTimeout * 0.7,
            // Callbacks write no rows, so none is ever refused. While the store cannot be read, they go back one by one.
            store: StoreGate(time: context.time, log: context.log("store")) { _, _ in },
            control: control.gate(for: Callback.service), time: context.time,
            events: context.events(
                EventSource(service: Callback.service, queue: Callback.queue), to: [activity]),
            tracer: context.tracer, log: log)
    }

    private func openWhenReachable() async throws -> (Queue, Store) {
        var backOff = BackOff(base: .milliseconds(500), limit: .seconds(30))
        var isTold = false
        while true {
            do {
                let parts = (try await queue(), try await store())
                if isTold { log.notice("connected") }
                return parts
            } catch let fault as PortFault where fault.kind == .transient {
                if !isTold { log.warning("webhooks are not posted: \(fault)") }
                isTold = true
                try await context.time.sleep(backOff.next())
            }
        }
    }
}
