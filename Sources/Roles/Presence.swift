import Foundation
import Pipeline
import Waiting

/// Keeps a worker's row in the table of those alive: from its start to its end, at every interval, and as soon as its
/// condition is another one. What cannot be written is logged, and never stops or slows work.
public struct Presence: Sendable {
    /// How soon a change is seen.
    private static let look = Duration.seconds(1)
    /// Who is silent for so many intervals is gone.
    private static let patience = 3
    /// Whatever the heartbeats' interval: somebody may wait for the answer why nothing moves.
    private static let longestInterval = Duration.seconds(20)
    /// Shorter ones would call a worker gone that waited for the store's lock.
    private static let shortestSilence = Duration.seconds(15)

    let identity: RoleIdentity
    let queue: String
    let interval: Duration
    let register: any WorkerRegister
    let condition: @Sendable () -> WorkerCondition
    let time: any Timekeeper
    let notice: HeartbeatOutageNotice
    let notes: ProgressNotes?

    /// - Parameters:
    ///   - interval: that of the heartbeats.
    ///   - condition: how the worker is at this moment.
    ///   - news: one for all roles of a process.
    ///   - notes: what is noted of the queue at every interval.
    public init(
        identity: RoleIdentity, queue: String, interval: Duration, register: any WorkerRegister,
        condition: @escaping @Sendable () -> WorkerCondition, time: any Timekeeper, notice: HeartbeatOutageNotice,
        notes: ProgressNotes? = nil
    ) {
        self.identity = identity
        self.queue = queue
        self.interval = min(interval, Presence.longestInterval)
        self.register = register
        self.condition = condition
        self.time = time
        self.notice = notice
        self.notes = notes
    }

    /// Runs `role`, and has it in the table meanwhile. One that throws stays there, with why: it is started again.
    public func around(_ role: @Sendable @escaping () async throws -> Void) async throws {
        defer { notice.ended(identity.workerID) }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await role() }
                group.addTask { try await keep() }
                try await group.next()
                group.cancelAll()
            }
        } catch let error where !(error is CancellationError) {
            await write(WorkerCondition(.failed, reason: "\(error)"))
            throw error
        }
        // What could not be written lately would only hold up the end: it is silent from now on.
        guard !notice.isFailing(identity.workerID) else { return }
        do { try await register.unregister(queue: queue) } catch { notice.failed(identity.workerID, error, at: .info) }
    }

    private func keep() async throws {
        var written = condition()
        await write(written)
        await notes?.note()
        var at = time.now()
        while true {
            try await time.sleep(min(Presence.look, interval))
            let condition = condition()
            // A wall clock that is set back must not make the wait longer.
            let isDue = abs(time.now().timeIntervalSince(at)) >= interval.seconds
            guard isDue || condition != written else { continue }
            await write(condition)
            await notes?.note()
            (written, at) = (condition, time.now())
        }
    }

    private func write(_ condition: WorkerCondition) async {
        let worker = RegisteredWorker(
            workerID: identity.workerID, service: identity.serviceName, host: identity.nodeHostname, queue: queue,
            condition: condition, process: .own)
        do {
            try await register.register(
                worker, silence: max(interval * Presence.patience, Presence.shortestSilence))
            notice.stored(identity.workerID)
        } catch is CancellationError {} catch {
            // What keeps the store from taking rows is told by its breaker, and louder.
            notice.failed(identity.workerID, error, at: .info)
        }
    }
}
