import Doubles
import Foundation
import Pipeline
@testable import SimulatedWorld
import Synchronization

/// A simulated world without any faults but those that a test names, for one test: a thread on which the test runs too, and a clock that moves only when
/// nobody has anything to do.
final class SimulatedBench: Sendable {
    /// The test waits for what will never happen.
    struct Stuck: Error, CustomStringConvertible {
        var seed: UInt64
        var ending: Scheduler.Ending
        var description: String { "seed \(seed): \(ending): nothing can run any more, and the test has not ended" }
    }

    let conditions: Conditions
    let album: Album
    let broker: Broker
    let database: Database
    private let processes = Atomic(0)

    /// - Parameters:
    ///   - pushes: whether the queue is as a broker that pushes, or as a table that is asked.
    ///   - faults: how often each strikes that is to strike.
    private init(seed: UInt64, pushes: Bool, faults: [Fault: Double]) {
        let dice = Dice(seed: seed)
        var plan = Plan(seed: seed, plant: nil, dice: dice)
        (plan.rates, plan.incidents, plan.queuePushes) = (Tally(), [], pushes)
        for (fault, rate) in faults { plan.rates[fault] = rate }
        conditions = Conditions(plan: plan, dice: dice, tracing: false)
        var album = Album(plan: plan, dice: dice)
        while !album.pictures.contains(where: { $0.image.url != nil }) { album = Album(plan: plan, dice: dice) }
        self.album = album
        broker = Broker(conditions)
        database = Database(conditions, album: album)
    }

    /// Runs a test in a few worlds whose tasks take turns in different orders.
    static func run(
        pushes: Bool = false, faults: [Fault: Double] = [:],
        _ test: @escaping @Sendable (SimulatedBench) async throws -> Void
    ) async throws {
        for seed in UInt64(1)...5 {
            try await SimulatedBench(seed: seed, pushes: pushes, faults: faults).run(seed, test)
        }
    }

    private func run(_ seed: UInt64, _ test: @escaping @Sendable (SimulatedBench) async throws -> Void) async throws {
        let outcome = Outcome()
        let scheduler = conditions.scheduler
        let executor = process().executor
        let body: @Sendable () async -> Void = { [self] in
            do {
                try await test(self)
                outcome.end(.success(()))
            } catch { outcome.end(.failure(error)) }
        }
        // Made by the test's task, so that what it finds is found by the test; it waits for the thread below.
        let task = Task(executorPreference: executor, operation: body)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                let ending = scheduler.run { outcome.isThere }
                if ending != .over {
                    task.cancel()
                    _ = scheduler.run { outcome.isThere }
                }
                scheduler.clear()
                if ending == .over, let result = outcome.result {
                    continuation.resume(with: result)
                } else {
                    continuation.resume(throwing: Stuck(seed: seed, ending: ending))
                }
            }
        }
    }

    /// How a test has ended.
    private final class Outcome: Sendable {
        private let state = Mutex<Result<Void, any Error>?>(nil)

        var result: Result<Void, any Error>? { state.withLock { $0 } }
        var isThere: Bool { result != nil }

        func end(_ result: Result<Void, any Error>) { state.withLock { $0 = result } }
    }

    /// A process of its own, by which the ports know who calls.
    func process() -> SimulatedProcess {
        let number = processes.add(1, ordering: .relaxed).newValue
        return SimulatedProcess(
            number: number, box: 0, name: "p\(number)", conditions: conditions, clock: BoxClock())
    }

    /// Returns when everybody waits for something, or that time has passed.
    func sleep(_ duration: Duration) async throws { try await conditions.scheduler.sleep(VirtualTime(duration)) }
}

extension QueueBackend {
    static let simulatedBroker = simulated("a simulated broker that pushes", pushes: true)
    static let simulatedTable = simulated("a simulated table of jobs", pushes: false)

    private static func simulated(_ name: String, pushes: Bool) -> QueueBackend {
        QueueBackend(
            name: name, canDelay: !pushes,
            run: { test in
                try await SimulatedBench.run(pushes: pushes) { bench in
                    try await test(
                        QueueBroker(
                            connect: { bench.connection() }, advance: { try await bench.sleep($0) }, close: {}))
                }
            })
    }
}

extension SimulatedBench {
    fileprivate func connection() -> QueueConnection {
        let process = process()
        return QueueConnection(
            queue: BrokerQueue(broker: broker, process: process),
            // The clock moves only once the consumer waits.
            waits: { try await self.sleep(.seconds(1)) },
            die: {
                process.die()
                self.broker.forget(process: process.number)
            },
            close: { self.broker.leave(process: process.number) })
    }
}

/// What a double is asked for and does not claim to do.
struct Unclaimed: Error {}
