import Foundation
import Pipeline
import Waiting

/// Keeps the row of a worker in the table of live workers. It writes the row from the worker's start to its end, at
/// every interval, and as soon as the worker's condition changes, or what it obeys. If it cannot write, it logs that, and
/// never stops or slows work.
public struct Presence: Sendable {
    /// How often it looks for a change.
    private static let look = Duration.seconds(1)
    /// A worker that is silent for this many intervals counts as gone.
    private static let patience = 3
    /// An upper limit, whatever the interval of the heartbeats: somebody may be waiting to learn why nothing moves.
    private static let longestInterval = Duration.seconds(20)
    /// A lower limit. With a shorter one, a worker that waits for the store's lock would count as gone.
    private static let shortestSilence = Duration.seconds(15)

    let identity: RoleIdentity
    let queue: String
    let interval: Duration
    let register: any WorkerRegister
    let condition: @Sendable () -> WorkerCondition
    let figures: WorkerFigureSource
    let control: ControlGate
    let time: any Timekeeper
    let notice: HeartbeatOutageNotice
    let notes: ProgressNotes?

    /// - Parameters:
    ///   - interval: the interval of the heartbeats.
    ///   - condition: the worker's condition at this moment.
    ///   - figures: what the row tells of the worker's work.
    ///   - control: what operators have set for it. Its row tells which revision it obeys.
    ///   - notice: shared by all roles of a process.
    ///   - notes: what is noted about the queue at every interval.
    package init(
        identity: RoleIdentity, queue: String, interval: Duration, register: any WorkerRegister,
        condition: @escaping @Sendable () -> WorkerCondition, figures: WorkerFigureSource = WorkerFigureSource(),
        control: ControlGate = .free(), time: any Timekeeper, notice: HeartbeatOutageNotice,
        notes: ProgressNotes? = nil
    ) {
        self.identity = identity
        self.queue = queue
        self.interval = min(interval, Presence.longestInterval)
        self.register = register
        self.condition = condition
        self.figures = figures
        self.control = control
        self.time = time
        self.notice = notice
        self.notes = notes
    }

    /// Runs `role`, and keeps its row in the table meanwhile. If `role` throws, the row stays, with the reason: the
    /// role is started again.
    /// - Parameter drain: once it has begun, the role is stopping.
    public func around(_ drain: Drain, _ role: @Sendable @escaping () async throws -> Void) async throws {
        defer { notice.ended(identity.workerID) }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await role() }
                group.addTask { try await keep(drain) }
                try await group.next()
                group.cancelAll()
            }
        } catch let error where !(error is CancellationError) {
            await write(WorkerCondition(.failed, reason: "\(error)"), control.obeyed)
            throw error
        }
        // If writing has failed lately, trying again would only delay the end. The worker is silent from now on.
        guard !notice.isFailing(identity.workerID) else { return }
        do { try await register.unregister(queue: queue) } catch { notice.failed(identity.workerID, error, at: .info) }
    }

    private func keep(_ drain: Drain) async throws {
        func present() -> WorkerCondition { drain.isBegun ? WorkerCondition(.stopping) : condition() }
        var (written, obeyed) = (present(), control.obeyed)
        await write(written, obeyed)
        await notes?.note()
        var at = time.now()
        while true {
            try await time.sleep(min(Presence.look, interval))
            let (condition, revision) = (present(), control.obeyed)
            // If the wall clock is set back, the wait must not become longer.
            let isDue = abs(time.now().timeIntervalSince(at)) >= interval.seconds
            guard isDue || condition != written || revision != obeyed else { continue }
            await write(condition, revision)
            await notes?.note()
            (written, obeyed, at) = (condition, revision, time.now())
        }
    }

    private func write(_ condition: WorkerCondition, _ revision: Int?) async {
        let worker = RegisteredWorker(
            workerID: identity.workerID, service: identity.serviceName, host: identity.nodeHostname, queue: queue,
            condition: condition, process: .own, revision: revision,
            figures: figures.figures(at: time.now()))
        do {
            try await register.register(
                worker, silence: max(interval * Presence.patience, Presence.shortestSilence))
            notice.stored(identity.workerID)
        } catch is CancellationError {} catch {
            // The store's breaker reports, more loudly, why the store takes no rows.
            notice.failed(identity.workerID, error, at: .info)
        }
    }
}
