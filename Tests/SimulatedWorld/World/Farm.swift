import Doubles
import Foundation
import Harmony
import Logging
import Model
import Pipeline
import Roles
import Services
import Synchronization
import Waiting

/// The boxes of a run and the processes on them, made as `farm up` makes them: real roles under a real supervisor, each
/// with its heartbeats.
final class Farm: Sendable {
    private struct State {
        /// All that ever were.
        var processes: [SimulatedProcess] = []
        /// By box: the one that runs there.
        var current: [Int: SimulatedProcess] = [:]
        var deaths = 0
        var isClosing = false
    }

    let conditions: Conditions
    let album: Album
    let broker: Broker
    let database: Database
    let clocks: [BoxClock]
    private let state = Mutex(State())

    private var plan: Plan { conditions.plan }

    init(_ conditions: Conditions, album: Album, broker: Broker, database: Database) {
        self.conditions = conditions
        self.album = album
        self.broker = broker
        self.database = database
        // One more for who produces.
        clocks = (0...conditions.plan.boxes.count).map { _ in BoxClock() }
    }

    var processes: [SimulatedProcess] { state.withLock { $0.processes } }
    var deaths: Int { state.withLock { $0.deaths } }
    /// Those that live, by box.
    var living: [SimulatedProcess] {
        state.withLock { state in state.current.keys.sorted().compactMap { state.current[$0] } }
    }

    // MARK: Processes

    func process(on box: Int, named name: String) -> SimulatedProcess {
        state.withLock { state in
            let process = SimulatedProcess(
                number: state.processes.count, box: box, name: "\(name)#\(state.processes.count)",
                conditions: conditions, clock: clocks[box])
            state.processes.append(process)
            return process
        }
    }

    func start(_ box: Int) {
        guard !state.withLock({ $0.isClosing }) else { return }
        let process = process(on: box, named: "box\(box)")
        state.withLock { $0.current[box] = process }
        let parts = Parts(farm: self, process: process)
        let roles = plan.boxes[box].workers.map(parts.worker) + plan.boxes[box].roles.map(parts.role)
        process.say("starts: \(roles.map(\.name).joined(separator: ", "))")
        let supervisor = Supervisor(
            time: process, randomness: conditions.dice.unit, log: process.log)
        process.start {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await parts.control.run() }
                await supervisor.run(roles, drain: process.drain)
                group.cancelAll()
            }
        }
    }

    /// Kills a process; another one starts on its box after a while.
    func kill(_ process: SimulatedProcess) {
        guard process.isAlive, !process.isOver else { return }
        process.say("dies")
        conditions.note(.processDied, process.name)
        state.withLock { $0.deaths += 1 }
        process.die()
        broker.forget(process: process.number)
        guard state.withLock({ $0.current[process.box] === process }) else { return }
        restart(process.box)
    }

    private func restart(_ box: Int) {
        state.withLock { $0.current[box] = nil }
        conditions.scheduler.after(conditions.dice.time(around: .seconds(2))) { [self] in start(box) }
    }

    /// Ends a process as SIGTERM does: what is not done at the limit dies.
    func drain(_ process: SimulatedProcess) {
        process.say("drains")
        process.drain.begin()
        conditions.scheduler.after(plan.shutdownLimit) { [self] in
            guard state.withLock({ $0.current[process.box] === process }) else { return }
            guard process.isOver else { return kill(process) }
            restart(process.box)
        }
    }

    /// Drains all for good.
    func close() {
        state.withLock { $0.isClosing = true }
        for process in living {
            process.say("drains")
            process.drain.begin()
        }
    }

    // MARK: Roles

    /// What the roles of one process are made of.
    private struct Parts {
        let farm: Farm
        let process: SimulatedProcess
        let queue: BrokerQueue
        let store: DatabaseStore
        private let offers: SharedOffers
        private let gate: StoreGate
        let pictures: PictureLoader
        let control: ControlWatch
        private let notice: HeartbeatOutageNotice
        private let clients: [String: ServiceClient]

        private var plan: Plan { farm.plan }

        init(farm: Farm, process: SimulatedProcess) {
            self.farm = farm
            self.process = process
            queue = BrokerQueue(broker: farm.broker, process: process)
            offers = SharedOffers(queue)
            store = DatabaseStore(database: farm.database, process: process)
            notice = HeartbeatOutageNotice(log: process.log)
            gate = StoreGate(store, time: process, randomness: farm.conditions.dice.unit, log: process.log)
            control = ControlWatch(store, time: process, log: process.log)
            let (gate, control) = (gate, control)
            let network = Network(album: farm.album, process: process) { farm.kill($0) }
            let plan = farm.plan
            let source = Pictures(album: farm.album, process: process)
            pictures = PictureLoader(
                cropper: source, fetcher: source,
                tries: PictureTries(limit: plan.maxTries, delay: plan.retryDelay.duration), time: process,
                randomness: farm.conditions.dice.unit, log: process.log)
            clients = (plan.primaries + Enrichment.services).reduce(into: [:]) { clients, name in
                let endpoint = ServiceEndpoint(
                    name: name, host: name, port: 1, timeout: plan.timeout.duration, maxTries: plan.maxTries,
                    retryDelay: plan.retryDelay.duration, concurrency: plan.concurrency)
                clients[name] = ServiceClient(
                    endpoint: endpoint, client: network, time: process,
                    randomness: farm.conditions.dice.unit, log: process.log, control: control.gate(for: name),
                    objection: { await gate.objection() })
            }
        }

        func worker(_ service: String) -> SupervisedRole {
            let identity = identity(service)
            let activity = WorkerActivity()
            guard let client = clients[service] else { preconditionFailure(service) }
            let options = WorkerOptions(
                identity: identity, queue: "queue_\(service)", isDetector: plan.detectors.contains(service))
            let worker = Worker(options, service: client, store: store, pictures: pictures, time: process)
            let stage = Stage(
                stageOptions("queue_\(service)", identity, plan.prefetch, activity, concurrency: plan.concurrency),
                queue: offers, handler: worker)
            return supervised(identity, "queue_\(service)", activity) { try await stage.run($0) }
        }

        func role(_ role: PostProcessing) -> SupervisedRole {
            let identity = identity(role.rawValue)
            let activity = WorkerActivity()
            let prefetch = role == .enricher ? plan.prefetch ?? 2 : plan.triggerPrefetch
            var options = stageOptions(role.queue, identity, prefetch, activity)
            options.gathers = role != .enricher
            switch role {
            case .merger:
                let merger = Merger(
                    identity: identity, detectors: plan.detectors, merging: MergingOptions(), store: store,
                    time: process, log: process.log)
                let stage = Stage(options, queue: offers, handler: merger)
                return supervised(identity, role.queue, activity) { try await stage.run($0) }
            case .consensus:
                let consensusRole = ConsensusRole(
                    identity: identity, evidence: [:], voting: VotingOptions(), store: store, time: process)
                let stage = Stage(options, queue: offers, handler: consensusRole)
                return supervised(identity, role.queue, activity) { try await stage.run($0) }
            case .enricher:
                let enricher = Enricher(
                    identity: identity, services: Enrichment.services.compactMap { clients[$0] }, store: store,
                    pictures: pictures, time: process, missing: BackfillSignal())
                let enricherRole = EnricherRole(options, enricher: enricher, queue: offers)
                return supervised(identity, role.queue, activity) { try await enricherRole.run($0) }
            }
        }

        private func identity(_ service: String) -> RoleIdentity {
            RoleIdentity(
                workerID: "\(service)_\(process.name)", serviceName: service, nodeHostname: "box\(process.box)")
        }

        private func stageOptions(
            _ queue: String, _ identity: RoleIdentity, _ prefetch: Int?, _ activity: WorkerActivity,
            concurrency: Int? = nil
        ) -> StageOptions {
            StageOptions(
                queue: queue, workerID: identity.workerID, prefetch: prefetch, concurrency: concurrency,
                drainLimit: plan.shutdownLimit.duration * 0.7, store: gate,
                control: control.gate(for: identity.serviceName), time: process,
                randomness: farm.conditions.dice.unit,
                events: EventStream(EventSource(service: identity.serviceName, queue: queue), to: [activity]),
                log: process.log)
        }

        private func supervised(
            _ identity: RoleIdentity, _ queueName: String, _ activity: WorkerActivity,
            _ run: @escaping @Sendable (Drain) async throws -> Void
        ) -> SupervisedRole {
            let pulse = Pulse(
                identity: identity, queue: queueName, interval: plan.heartbeat.duration, activity: activity,
                store: DatabaseHeartbeats(database: farm.database, process: process), queues: queue, time: process,
                notice: notice)
            let process = process
            return SupervisedRole(name: identity.serviceName, fingerprint: "") { drain in
                try await process.untilDeath { try await pulse.around { try await run(drain) } }
            }
        }
    }
}

extension Album {
    var cropper: PaperCropper {
        PaperCropper(unreadable: Set(pictures.filter(\.isMissing).compactMap(\.image.path)))
    }

    var fetcher: ShelfFetcher {
        let there = pictures.filter { !$0.isMissing }.compactMap(\.image.url)
        return ShelfFetcher(Dictionary(uniqueKeysWithValues: there.map { ($0, [1]) }))
    }
}
