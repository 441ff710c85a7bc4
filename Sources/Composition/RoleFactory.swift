import Foundation
import Harmony
import Imaging
import Logging
import Model
import Pipeline
import Roles
import Services
import Settings
import Waiting

/// Makes the roles of this machine from its settings.
package struct RoleFactory: Sendable {
    /// Settings, clock and log.
    package let context: ProgramContext
    /// The queue, the store and the heartbeats that the roles use.
    package let backends: Backends
    /// The services and roles of this machine. SIGHUP renews it.
    package private(set) var configuration: ServiceConfiguration
    /// Calls services.
    package let http: HTTPClient
    /// Fetches pictures.
    package let pictures: HTTPClient
    /// Reads and cuts pictures.
    package let cropper: PictureCropper
    /// The store's circuit breaker, one for all roles of the process.
    let gate: StoreGate
    /// Reads what operators have set, once for all roles of this process.
    let control: ControlWatch
    /// Publishes what the roles of this process trigger.
    private let offers: SharedOffers
    /// Loads pictures, with one retry and breaker for all roles of this process.
    private let loader: PictureLoader
    private let clients: ServiceClients
    private let notice: HeartbeatOutageNotice
    private let presenceNotice: HeartbeatOutageNotice

    private var settings: Settings { context.settings }

    package init(_ context: ProgramContext, _ backends: Backends) {
        self.context = context
        self.backends = backends
        configuration = context.settings.services
        http = HTTPClient()
        let policy = context.settings.images
        pictures = policy.deniesPrivateURLs ? HTTPClient(policy: policy) : http
        cropper = PictureCropper(
            parallelism: min(2, ProcessInfo.processInfo.activeProcessorCount), root: policy.root)
        offers = SharedOffers(backends.queue)
        gate = StoreGate(backends.store, time: context.time, log: context.log("store"))
        control = ControlWatch(backends.store, time: context.time, log: context.log("control")) { service in
            context.events(EventSource(service: service))
        }
        clients = ServiceClients(http: http, context: context, gate: gate, control: control)
        loader = PictureLoader(
            cropper: cropper, fetcher: pictures,
            tries: PictureTries(limit: context.settings.maxRetries, delay: context.settings.retryDelay),
            time: context.time, log: context.log("pictures"), events: context.events())
        notice = HeartbeatOutageNotice(log: context.log("heartbeats"))
        presenceNotice = HeartbeatOutageNotice(log: context.log("store"), of: "the workers' states")
    }

    /// Returns the same factory with another service_config.json. Clients of services that did not change are kept.
    package func adopting(_ configuration: ServiceConfiguration) -> RoleFactory {
        var factory = self
        factory.configuration = configuration
        return factory
    }

    // MARK: Services

    /// The client of a service. There is one in a process.
    package func client(_ service: ServiceSettings) -> ServiceClient { clients.client(service) }

    /// The services of this process whose jobs cannot be done now, and the hosts and folders of pictures that are away,
    /// each with the reason.
    package func outages() -> [String: String] {
        var outages = clients.outages()
        for (name, outage) in outages where assumedServices.contains(name) { outages[name] = outage + "; " + wayOut }
        return outages.merging(loader.outages()) { service, _ in service }
    }

    /// The jobs that go back to their queue because their pictures are away, by service, with the reason.
    package func postponed() -> [String: (jobs: Int, reason: String)] { loader.postponed() }

    /// Why a service does not answer its health probe. nil if it does. As for the circuit breaker, any answer below 500
    /// means that the service is up.
    package func outage(of name: String) async -> String? {
        guard let service = service(named: name) else { return nil }
        switch await http.health(of: service.address) {
        case .success(let status): return status < 500 ? nil : "its health answers \(status)"
        case .failure(let fault): return fault.description
        }
    }

    /// Why the store takes no rows, if somebody has to mend it.
    package var refusal: PortFault? { gate.outage.flatMap { $0.isPassing ? nil : $0.fault } }

    /// A service as this machine's configuration has it, or else the catalogue.
    package func service(named name: String) -> ServiceSettings? {
        configuration.service(named: name) ?? settings.catalogueService(named: name)
    }

    /// The services of `services`, and the crop services whose address is known. The enricher of another machine may
    /// use other crop services than those that the catalogue has on localhost.
    package func servicesToAsk(_ services: [String]) -> [ServiceSettings] {
        let enriches = configuration.postProcessing.contains(.enricher)
        let crops = configuration.cropServices.filter { enriches || configuration.service(named: $0) != nil }
        return (services + crops.filter { !services.contains($0) }).compactMap(service)
    }

    /// The class of each service's evidence: from this machine's configuration, or else from the catalogue.
    private var evidence: [String: Evidence] {
        var evidence = Dictionary(uniqueKeysWithValues: CatalogueService.all.map { ($0.name, $0.evidence) })
        for service in configuration.services { evidence[service.name] = service.evidence }
        return evidence
    }

    private var detectors: [String] { evidence.filter { $0.value == .spatial }.keys.sorted() }

    // MARK: Roles

    /// The roles that `farm up` runs here: workers for primary services, and the post_processing roles.
    package func roles() -> [SupervisedRole] {
        let workers = configuration.workers
        return workers.map { worker($0, isOneOfSeveral: true) }
            + configuration.postProcessing.map { postProcessing($0, isOneOfSeveral: true) }
    }

    /// The worker of a service.
    /// - Parameter isOneOfSeveral: whether the process has other roles too.
    package func worker(_ service: ServiceSettings, isOneOfSeveral: Bool) -> SupervisedRole {
        let identity = identity("work", service.name, isOneOfSeveral)
        let activity = WorkerActivity()
        let options = WorkerOptions(
            identity: identity, queue: service.queue, transport: Transport(service.transport),
            accepts: Set(service.accepts), isDetector: evidence[service.name] == .spatial,
            processingDelay: settings.processingDelay)
        let worker = Worker(
            options, service: client(service), store: backends.store, pictures: loader, time: context.time)
        let stageOptions = stageOptions(
            service.queue, identity, prefetch: settings.prefetch, concurrency: service.concurrency,
            calling: [service], activity)
        let stage = Stage(stageOptions, queue: offers, handler: worker)
        let client = self.client(service)
        return supervised(
            "worker \(service.name)", "\(service)", identity, service.queue, activity,
            concurrency: { client.concurrency },
            trouble: { client.trouble.map { WorkerCondition(.serviceDown, reason: $0) } },
            { try await stage.run($0) })
    }

    /// A post-processing role.
    /// - Parameter isOneOfSeveral: whether the process has other roles too.
    package func postProcessing(_ role: PostProcessing, isOneOfSeveral: Bool) -> SupervisedRole {
        let activity = WorkerActivity()
        let identity = identity(role)
        let run: @Sendable (Drain) async throws -> Void
        let fingerprint: String
        var trouble: @Sendable () -> WorkerCondition? = { nil }
        switch role {
        case .merger:
            let stage = Stage(
                stageOptions(role.queue, identity, prefetch: RoleFactory.triggerPrefetch, gathers: true, activity),
                queue: offers,
                handler: merger())
            run = { try await stage.run($0) }
            // A dictionary prints in no fixed order.
            let merging = configuration.merging
            let numbers = [
                merging.mergeIoU, merging.duplicateIoU, merging.keepIoU, merging.loneConfidence, merging.minConfidence,
            ]
            fingerprint = "\(numbers) \(merging.synonyms.sorted { $0.key < $1.key }) \(detectors)"
        case .consensus:
            let stage = Stage(
                stageOptions(role.queue, identity, prefetch: RoleFactory.triggerPrefetch, gathers: true, activity),
                queue: offers,
                handler: consensusRole())
            run = { try await stage.run($0) }
            fingerprint = "\(configuration.voting) \(evidence.sorted { $0.key < $1.key })"
        case .enricher:
            let role = EnricherRole(
                stageOptions(
                    role.queue, identity, prefetch: settings.prefetch ?? RoleFactory.enricherPrefetch,
                    calling: cropServices,
                    activity),
                enricher: enricher(), queue: offers)
            run = { try await role.run($0) }
            fingerprint = "\(cropServices)"
            trouble = missingCrops
        }
        return supervised(role.rawValue, fingerprint, identity, role.queue, activity, trouble: trouble, run)
    }

    /// Triggers of one image coalesce within a group, so merger and consensus fetch many.
    private static let triggerPrefetch = 2048
    /// How many images the enricher decodes and asks services about at once.
    private static let enricherPrefetch = 8

    // MARK: Handlers

    /// Merges the boxes of images.
    package func merger() -> Merger {
        Merger(
            identity: identity(.merger), detectors: detectors,
            merging: MergingOptions(configuration.merging, defaultConfidence: settings.defaultConfidence),
            store: backends.store, time: context.time, log: log(identity(.merger)), events: events(of: .merger))
    }

    /// Votes on images.
    package func consensusRole() -> ConsensusRole {
        ConsensusRole(
            identity: identity(.consensus), evidence: evidence,
            voting: VotingOptions(minVotes: configuration.voting.minVotes),
            store: backends.store, time: context.time, events: events(of: .consensus))
    }

    private func events(of role: PostProcessing) -> EventStream {
        context.events(EventSource(service: role.rawValue, queue: role.queue))
    }

    /// - Parameter asksAgain: whether crops that failed for good are asked about once more.
    package func enricher(asksAgain: Bool = false) -> Enricher {
        Enricher(
            identity: identity(.enricher), services: cropServices.map(client), store: backends.store,
            pictures: loader, time: context.time, missing: BackfillSignal(), asksAgain: asksAgain)
    }

    private var cropServices: [ServiceSettings] { configuration.cropServices.compactMap(service) }

    /// The crop services that an enricher of this machine uses although service_config.json does not name them.
    private var assumedServices: [String] {
        guard configuration.path != nil else { return [] }
        return configuration.cropServices.filter { configuration.service(named: $0) == nil }
    }

    /// How a user ends the search for services that nobody named.
    private var wayOut: String {
        "name the service in \(configuration.path ?? "service_config.json"), or list there the crop services that you run: "
            + "\"enrichment\": [] for none"
    }

    /// What the enricher works without, if anything.
    private var missingCrops: @Sendable () -> WorkerCondition? {
        let clients = cropServices.map(client)
        return {
            let missing = clients.compactMap { client in client.trouble.map { "without \(client.name): \($0)" } }
            return missing.isEmpty ? nil : WorkerCondition(.working, reason: missing.joined(separator: "; "))
        }
    }

    /// Warns once of crop services that this machine's configuration does not name: where an enricher would look for
    /// them, or that they are off.
    package func warnOfAssumedServices(_ roles: [SupervisedRole]) {
        guard let path = configuration.path, roles.contains(where: { $0.name == PostProcessing.enricher.rawValue })
        else {
            return
        }
        let (log, assumed) = (context.log("farm"), assumedServices)
        if !assumed.isEmpty {
            log.warning(
                "\(path) does not name \(assumed.joined(separator: ", ")): farm looks on localhost, at the catalogue's ports; \(wayOut)"
            )
        }
        let off = Enrichment.services.filter { !configuration.cropServices.contains($0) }
        if !off.isEmpty { log.notice("crops are not sent to \(off.joined(separator: ", ")): \(path) leaves them out") }
    }

    // MARK: Parts

    private func identity(_ role: PostProcessing) -> RoleIdentity {
        identity(role.command, role.rawValue, true)
    }

    private func identity(_ role: String, _ service: String, _ isOneOfSeveral: Bool) -> RoleIdentity {
        let host = ThisProcess.hostname
        return RoleIdentity(
            workerID: settings.workerID.id(
                role: role, service: service, host: host, pid: ProcessInfo.processInfo.processIdentifier,
                several: isOneOfSeveral),
            serviceName: service, nodeHostname: String(host.prefix(50)))
    }

    private func stageOptions(
        _ queue: String, _ identity: RoleIdentity, prefetch: Int?, concurrency: Int? = nil, gathers: Bool = false,
        calling services: [ServiceSettings] = [], _ activity: WorkerActivity
    ) -> StageOptions {
        // A job may be held for five minutes. Its picture and its calls may have taken most of that time.
        let calls = services.map(\.longestJob).max() ?? .zero
        let holding = min(.seconds(60), max(.seconds(15), .seconds(210) - calls))
        // What is left of the limit is for committing and giving back.
        return StageOptions(
            queue: queue, workerID: identity.workerID, prefetch: prefetch, concurrency: concurrency, gathers: gathers,
            drainLimit: settings.shutdownTimeout * 0.7, holding: holding, store: gate,
            control: control.gate(for: identity.serviceName), time: context.time,
            events: context.events(EventSource(service: identity.serviceName, queue: queue), to: [activity]),
            tracer: context.tracer, log: log(identity))
    }

    /// The log of a role; its lines name the role.
    private func log(_ identity: RoleIdentity) -> Logger {
        var log = context.log(identity.serviceName)
        for (key, value) in identity.labels { log[metadataKey: key] = value }
        return log
    }

    /// - Parameters:
    ///   - concurrency: how many calls its service gets at once. nil if it calls no service of its own.
    ///   - trouble: what keeps the role from its work, besides the store. nil if nothing does.
    private func supervised(
        _ name: String, _ fingerprint: String, _ identity: RoleIdentity, _ queue: String, _ activity: WorkerActivity,
        concurrency: @escaping @Sendable () -> Int? = { nil },
        trouble: @escaping @Sendable () -> WorkerCondition?, _ run: @escaping @Sendable (Drain) async throws -> Void
    ) -> SupervisedRole {
        let pulse = Pulse(
            identity: identity, queue: queue, interval: settings.heartbeatInterval, activity: activity,
            store: backends.heartbeats, queues: backends.queue, time: context.time, notice: notice)
        let presence = Presence(
            identity: identity, queue: queue, interval: settings.heartbeatInterval, register: backends.store,
            condition: { [gate] in
                let outage = gate.outage.map { WorkerCondition(.storeRefusing, reason: "\($0.fault)") }
                return outage ?? trouble() ?? WorkerCondition(.working)
            }, figures: WorkerFigureSource(version: context.version, concurrency: concurrency, activity: activity),
            control: control.gate(for: identity.serviceName), time: context.time, notice: presenceNotice,
            notes: ProgressNotes(queue: queue, activity: activity, queues: backends.queue, records: backends.store))
        return SupervisedRole(name: name, fingerprint: fingerprint, identity: identity) { drain in
            try await presence.around(drain) { try await pulse.around { try await run(drain) } }
        }
    }
}
