import Foundation
import Model
import Monitoring
import Pipeline
import Waiting

/// What viewers look at: one look at queue, store and heartbeats for all of them, however many there are.
///
/// Nobody looks while nobody asks. A look that takes long is repeated less often, so that looking takes at most a twentieth
/// of the time.
package actor FarmBoard {
    /// The time between two looks.
    package static let interval = Duration.seconds(2)
    /// The longest time between two looks, even if looking is slow.
    static let longestInterval = Duration.seconds(300)
    /// After a look, nobody looks for this many times as long as it took.
    static let restPerLook = 20.0

    private let time: any Timekeeper
    private let look: @Sendable () async -> FarmView
    private var current: FarmView?
    /// From then on the current view is too old.
    private var due = Date.distantPast
    /// The look that is under way, or that begins when the next one is due.
    private var running: Task<FarmView, Never>?
    private var next: Task<FarmView, Never>?

    package init(time: any Timekeeper, look: @escaping @Sendable () async -> FarmView) {
        self.time = time
        self.look = look
    }

    /// What was seen last, or is seen now if that is too old.
    package func latest() async -> FarmView {
        if let current, time.now() < due { return current }
        return await lookNow()
    }

    /// What is seen now: somebody has just changed something.
    package func renewed() async -> FarmView {
        // A look that is under way may have begun before the change.
        if let running { _ = await running.value }
        return await lookNow()
    }

    /// The first view after this one.
    package func view(after revision: Int) async -> FarmView {
        if let current, current.revision > revision { return current }
        if let running { return await running.value }
        if let next { return await next.value }
        let task = Task {
            let wait = due.timeIntervalSince(time.now())
            // Nobody cancels it: it looks once more, and ends.
            if wait > 0 { try? await time.sleep(.seconds(wait)) }
            next = nil
            return await latest()
        }
        next = task
        return await task.value
    }

    private func lookNow() async -> FarmView {
        if let running { return await running.value }
        let task = Task {
            let begin = time.now()
            var view = await look()
            let end = time.now()
            let took = Duration.seconds(max(0, end.timeIntervalSince(begin)))
            let rest = min(max(FarmBoard.interval, took * FarmBoard.restPerLook), FarmBoard.longestInterval)
            view.revision = (current?.revision ?? 0) + 1
            view.seen = end
            (current, due, running) = (view, end.addingTimeInterval(rest.seconds), nil)
            return view
        }
        running = task
        return await task.value
    }
}

/// What one look at the farm has seen. Each part may be out of reach for itself.
package struct FarmView: Sendable {
    /// Larger than that of any view before.
    package fileprivate(set) var revision = 0
    /// When.
    package fileprivate(set) var seen = Date.distantPast
    /// Queues and results; or why neither can be read.
    package let status: Result<FarmStatus, PortFault>
    /// Everybody who is alive; or why that cannot be read.
    package let workers: Result<[RegisteredWorker], PortFault>
    /// Workers that have fallen silent in the last minutes, and of which no heartbeat tells yet, the longest silent first; or
    /// why that cannot be read.
    package let silent: Result<[DeadWorker], PortFault>
    /// What heartbeats tell; nil where there are none.
    package let monitor: Result<MonitorReport, PortFault>?

    /// Looks at all of it.
    /// - Parameters:
    ///   - readsReplica: the store that is read is a replica.
    ///   - heartbeats: where heartbeats are; nil where there are none.
    package init(
        _ parts: any ReadingParts, _ services: ServiceDirectory, readsReplica: Bool,
        heartbeats: @Sendable () async throws -> (any HeartbeatStore)?
    ) async {
        status = await FarmView.part { try await FarmStatus(parts, services, readsReplica: readsReplica) }
        workers = await FarmView.part { try await parts.store().liveWorkers() }
        let report = await FarmView.part { try await heartbeats()?.report(MonitorWindows()) }
        monitor =
            switch report {
            case .success(let report): report.map { .success($0) }
            case .failure(let fault): .failure(fault)
            }
        let (alive, told) = ((try? workers.get()) ?? [], try? monitor?.get())
        silent = await FarmView.part { try await FarmView.silent(parts.store(), alive, told) }
    }

    /// Heartbeats call nobody dead before this has passed. What is longer ago is theirs to tell: they know who was replaced.
    private static let untold = MonitorWindows().deadThreshold + .seconds(60)

    private static func silent(
        _ register: any WorkerRegister, _ alive: [RegisteredWorker], _ told: MonitorReport?
    ) async throws -> [DeadWorker] {
        var known = Set(alive.map { [$0.workerID, $0.service, $0.host] })
        for worker in (told?.deadWorkers ?? []) + (told?.replacedWorkers ?? []) { known.insert(name(of: worker)) }
        // One that was killed several times is one: the youngest of its rows tells since when it is silent.
        return try await register.silentWorkers(since: untold).reversed().filter { known.insert(name(of: $0)).inserted }
            .reversed()
    }

    private static func name(of worker: DeadWorker) -> [String] {
        [worker.workerID, worker.serviceName, worker.nodeHostname]
    }

    private static func part<Part: Sendable>(_ read: () async throws -> Part) async -> Result<Part, PortFault> {
        do {
            return .success(try await read())
        } catch let fault as PortFault {
            return .failure(fault)
        } catch {
            return .failure(PortFault(.transient, place: "the farm", message: "\(error)"))
        }
    }
}
