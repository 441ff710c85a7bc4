import Foundation
import Model
import Pipeline
import Roles
import Synchronization

/// Who submits the jobs: one `farm produce` after another, until one has got through.
final class Production: Sendable {
    private struct State {
        var confirmed: [UUID] = []
        var isOver = false
    }

    private let farm: Farm
    private let options: ProducerOptions
    private let window: WindowOptions?
    private let state = Mutex(State())

    /// - Parameter images: only these, if given.
    init(_ farm: Farm, images: [ImageID]? = nil, delay: VirtualTime = .seconds(0)) {
        self.farm = farm
        options = ProducerOptions(
            targets: farm.conditions.plan.primaries.map { Target(service: $0, queue: "queue_\($0)") },
            filter: ImageFilter(ids: images), delay: delay.duration)
        window =
            images != nil
            ? nil
            : farm.conditions.plan.window.map {
                [targets = options.targets] in
                WindowOptions(targets: targets, groups: ["a", "b", "c"], window: $0, delay: delay.duration)
            }
    }

    var isOver: Bool { state.withLock { $0.isOver } }
    /// The jobs whose publishing was confirmed.
    var confirmed: [UUID] { state.withLock { $0.confirmed } }

    func start() {
        let process = farm.process(on: farm.conditions.plan.boxes.count, named: "producer")
        process.start { [self] in
            var isDone = false
            do {
                try await process.untilDeath { try await self.produce(process) }
                isDone = process.isAlive
            } catch {
                process.say("ends: \(error)")
            }
            guard !isDone else { return state.withLock { $0.isOver = true } }
            // Whoever ran it runs it again.
            farm.conditions.scheduler.after(.seconds(1)) { self.start() }
        }
    }

    private func produce(_ process: SimulatedProcess) async throws {
        let dice = farm.conditions.dice
        let queue = ConfirmedJobs(queue: BrokerQueue(broker: farm.broker, process: process)) { [self] jobs in
            state.withLock { $0.confirmed += jobs }
        }
        let store = DatabaseStore(database: farm.database, process: process)
        if let window {
            let producer = WindowProducer(
                store: store, queue: queue, time: process, randomness: dice.unit, newID: { UUID(dice) },
                log: process.log)
            let counts = try await producer.run(window, drain: process.drain) { _ in }
            if counts?.isOver != true, process.isAlive { throw CancellationError() }
            return
        }
        let producer = Producer(
            catalogue: store, queue: queue, time: process, randomness: dice.unit, newJobID: { UUID(dice) },
            log: process.log)
        _ = try await producer.run(options, drain: process.drain) { _ in }
    }
}

/// The way to the queues, with a look at what they confirm.
private struct ConfirmedJobs: JobQueue, QueueAdministration, QueueInspection {
    let queue: BrokerQueue
    let note: @Sendable ([UUID]) -> Void

    func offer(_ messages: [Message]) async -> [Unpublished] {
        let unpublished = await queue.offer(messages)
        let open = Set(unpublished.flatMap(\.places))
        let safe = messages.indices.filter { !open.contains($0) }.map { messages[$0] }
        note(safe.compactMap { try? Job(body: $0.body, queue: $0.queue, service: "").jobID })
        return unpublished
    }

    func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await self.queue.consume(queue, prefetch: prefetch)
    }

    func declare(_ queues: [String]) async throws { try await queue.declare(queues) }
    func depths(of queues: [String]) async throws -> [QueueDepth] { try await queue.depths(of: queues) }
    func blockade() async throws -> String? { try await queue.blockade() }
    func queueNames() async throws -> [String] { try await queue.queueNames() }
    func awaitActivity(upTo limit: Duration) async throws { try await queue.awaitActivity(upTo: limit) }
    func pass(through queue: String, _ part: QueuePart) async throws -> any QueueBrowsing {
        try await self.queue.pass(through: queue, part)
    }
    func pass(throughDeadOf queue: String, from place: Int64) async throws -> any QueueBrowsing {
        try await self.queue.pass(throughDeadOf: queue, from: place)
    }
    func purge(_ queue: String) async throws -> Int { try await self.queue.purge(queue) }
}

extension UUID {
    fileprivate init(_ dice: Dice) {
        var bytes: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &bytes) { raw in
            raw.storeBytes(of: dice.bits(), toByteOffset: 0, as: UInt64.self)
            raw.storeBytes(of: dice.bits(), toByteOffset: 8, as: UInt64.self)
        }
        self.init(uuid: bytes)
    }
}
