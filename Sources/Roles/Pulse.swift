import Foundation
import Logging
import Model
import Pipeline
import Waiting

/// Sends a worker's heartbeats: starting, alive at every interval even while it is idle, error, stopping.
public struct Pulse: Sendable {
    let identity: RoleIdentity
    let queue: String
    let interval: Duration
    let activity: WorkerActivity
    let store: (any HeartbeatStore)?
    let queues: any QueueAdministration
    let time: any Timekeeper
    let notice: HeartbeatOutageNotice

    /// - Parameters:
    ///   - store: nil if nobody wants heartbeats.
    ///   - news: shared by all roles of a process.
    public init(
        identity: RoleIdentity, queue: String, interval: Duration, activity: WorkerActivity,
        store: (any HeartbeatStore)?,
        queues: any QueueAdministration, time: any Timekeeper, notice: HeartbeatOutageNotice
    ) {
        self.identity = identity
        self.queue = queue
        self.interval = interval
        self.activity = activity
        self.store = store
        self.queues = queues
        self.time = time
        self.notice = notice
    }

    /// Runs `role` and sends heartbeats beside it, from `starting` to `stopping`, or to `error` if the role throws.
    public func around(_ role: @Sendable @escaping () async throws -> Void) async throws {
        guard let store else { return try await role() }
        let beat = Beat(pulse: self, store: store)
        defer { notice.ended(identity.workerID) }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await role() }
                // Work does not wait for a monitoring database that is slow to fail.
                group.addTask {
                    await beat.send(.starting)
                    try await beat.goOn()
                }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            await beat.send(.error, message: "\(error)")
            throw error
        }
        // What went wrong since the last heartbeat is reported, however short the run was.
        if let error = activity.takeError() { await beat.send(.error, message: error) }
        await beat.send(.stopping)
    }
}

/// The heartbeats of one run.
private actor Beat {
    private let pulse: Pulse
    private let store: any HeartbeatStore
    private var lastCompleted: Int
    private var lastSent: Date

    init(pulse: Pulse, store: any HeartbeatStore) {
        self.pulse = pulse
        self.store = store
        lastCompleted = pulse.activity.snapshot.completed
        lastSent = pulse.time.now()
    }

    func goOn() async throws {
        while true {
            try await pulse.time.sleep(pulse.interval)
            let error = pulse.activity.takeError()
            await send(error == nil ? .alive : .error, message: error)
        }
    }

    /// A monitoring database that is down never stops or slows work. It is logged once when it fails, and once when it
    /// is back.
    func send(_ status: Heartbeat.Status, message: String? = nil) async {
        let now = pulse.time.now()
        let snapshot = pulse.activity.snapshot
        let minutes = now.timeIntervalSince(lastSent) / 60
        let heartbeat = Heartbeat(
            workerID: pulse.identity.workerID, serviceName: pulse.identity.serviceName,
            nodeHostname: pulse.identity.nodeHostname, status: status, jobsCompleted: snapshot.completed,
            jobsPerMinute: minutes > 0 ? Double(snapshot.completed - lastCompleted) / minutes : 0,
            lastJobTime: snapshot.lastJob,
            queueDepth: await depth(), errorMessage: message)
        do {
            try await store.record(heartbeat)
            pulse.notice.stored(pulse.identity.workerID)
            lastCompleted = snapshot.completed
            lastSent = now
        } catch {
            pulse.notice.failed(pulse.identity.workerID, error)
        }
    }

    private func depth() async -> Int? {
        try? await pulse.queues.depths(of: [pulse.queue]).first.map { $0.waiting + $0.knownInFlight }
    }
}
