import Doubles
import Foundation
import Logging
import Model
import Pipeline
import Synchronization
import Testing
import Waiting

@testable import Roles

/// A test double of the table of those alive, which can refuse to write.
final class RegisterDouble: WorkerRegister {
    private struct State {
        var written: [WorkerCondition] = []
        var rows: [String: RegisteredWorker] = [:]
        var silences: Set<Duration> = []
        var isRefusing = false
        var condition = WorkerCondition(.working)
    }

    private let state = Mutex(State())

    var written: [WorkerCondition] { state.withLock { $0.written } }
    var rows: [String: RegisteredWorker] { state.withLock { $0.rows } }
    var silences: Set<Duration> { state.withLock { $0.silences } }

    /// How the worker is.
    var condition: WorkerCondition {
        get { state.withLock { $0.condition } }
        set { state.withLock { $0.condition = newValue } }
    }

    func refuse(_ refuses: Bool) { state.withLock { $0.isRefusing = refuses } }

    func register(_ worker: RegisteredWorker, silence: Duration) async throws {
        try state.withLock { state in
            state.written.append(worker.condition)
            guard !state.isRefusing else { throw PortFault(.transient, place: "store", message: "away") }
            state.rows[worker.queue] = worker
            state.silences.insert(silence)
        }
    }

    func unregister(queue: String) async throws { state.withLock { $0.rows[queue] = nil } }

    func liveWorkers() async throws -> [RegisteredWorker] { Array(rows.values) }

    func silentWorkers(since age: Duration) async throws -> [DeadWorker] { [] }

    func seenWorkers() async throws -> [SeenWorkers] { [] }
}

/// A test double of what is noted of queues, which can refuse to write.
final class ProgressDouble: ProgressRecords {
    private let state = Mutex((noted: [String](), isRefusing: false))

    var noted: [String] { state.withLock { $0.noted } }

    func refuse(_ refuses: Bool) { state.withLock { $0.isRefusing = refuses } }

    func note(waiting: Int, done: Int, in queue: String) async throws {
        try state.withLock { state in
            guard !state.isRefusing else { throw PortFault(.transient, place: "store", message: "away") }
            state.noted.append("\(queue) \(waiting) \(done)")
        }
    }

    func progress() async throws -> ProgressReport { ProgressReport() }
}

@Suite("A worker's row in the table of those alive")
struct PresenceTests {
    private let time = ManualTime()
    private let register = RegisterDouble()
    private let notice = HeartbeatOutageNotice(log: Bench.log, of: "rows")

    private func presence(every interval: Duration = .seconds(60)) -> Presence {
        Presence(
            identity: RoleIdentity(workerID: "w", serviceName: "clip", nodeHostname: "k3"), queue: "queue_clip",
            interval: interval, register: register, condition: { [register] in register.condition }, time: time,
            notice: notice)
    }

    /// Runs a presence beside a role that lasts until `body` has ended.
    private func during(_ presence: Presence, draining: Drain = Drain(), _ body: () async throws -> Void) async throws {
        let drain = Drain()
        async let running: Void = presence.around(draining) { await drain.wait() }
        try await body()
        drain.begin()
        try await running
    }

    private func pass(_ seconds: Double) async {
        await time.sleepers(1)
        time.advance(by: .seconds(seconds))
        await time.sleepers(1)
    }

    @Test("is there from its start to its end, and written again at every interval")
    func interval() async throws {
        try await during(presence(every: .seconds(3))) {
            try await eventually { register.written.count == 1 }
            let row = try #require(register.rows["queue_clip"])
            #expect(
                row
                    == RegisteredWorker(
                        workerID: "w", service: "clip", host: "k3", queue: "queue_clip",
                        condition: WorkerCondition(.working), process: .own, revision: 0,
                        figures: WorkerFigures(completed: 0)))
            for _ in 1...2 { await pass(1) }
            #expect(register.written.count == 1)
            await pass(1)
            #expect(register.written.count == 2)
        }
        #expect(register.rows.isEmpty)
        #expect(register.silences == [.seconds(15)])
    }

    @Test("tells that the worker is stopping, from the drain to the end")
    func stopping() async throws {
        let draining = Drain()
        try await during(presence(), draining: draining) {
            try await eventually { register.written.count == 1 }
            draining.begin()
            await pass(1)
            #expect(register.written == [WorkerCondition(.working), WorkerCondition(.stopping)])
        }
        #expect(register.rows.isEmpty)
    }

    @Test("tells the version, the calls at once, the jobs, their rate over the last minutes and the last job")
    func figures() {
        let (activity, start) = (WorkerActivity(), time.now())
        func settle(_ count: Int, at date: Date) {
            activity.receive(.settled(Settled(.success, count: count, date: date)), from: EventSource())
        }
        let source = WorkerFigureSource(version: "1.2", concurrency: { 4 }, activity: activity)
        #expect(source.figures(at: start) == WorkerFigures(version: "1.2", concurrency: 4, completed: 0))
        settle(30, at: start.addingTimeInterval(9))
        var figures = source.figures(at: start.addingTimeInterval(10))
        #expect(figures.completed == 30 && figures.rate == 3 && figures.lastJob == start.addingTimeInterval(9))
        // It has nothing to do, so the rate falls to nothing within two minutes.
        _ = source.figures(at: start.addingTimeInterval(60))
        figures = source.figures(at: start.addingTimeInterval(120))
        #expect(figures.rate == 0 && figures.completed == 30)
        // The clock is set back by an hour.
        figures = source.figures(at: start.addingTimeInterval(-3600))
        #expect(figures.rate == nil)
        settle(7, at: start)
        #expect(source.figures(at: start.addingTimeInterval(-3593)).rate == 1)
    }

    @Test("is written at least every 20 s, however rare the heartbeats")
    func longInterval() async throws {
        try await during(presence(every: .seconds(3600))) {
            try await eventually { register.written.count == 1 }
            for _ in 1...20 { await pass(1) }
            #expect(register.written.count == 2)
        }
        #expect(register.silences == [.seconds(60)])
    }

    @Test("tells within a second what keeps the worker from its work, and when that is over")
    func changes() async throws {
        let down = WorkerCondition(.serviceDown, reason: "connection refused")
        try await during(presence()) {
            try await eventually { register.written.count == 1 }
            register.condition = down
            await pass(1)
            register.condition = WorkerCondition(.working)
            await pass(1)
            #expect(register.written == [WorkerCondition(.working), down, WorkerCondition(.working)])
        }
    }

    @Test(
        "goes with a note of what waits and what was done since the last one; what could not be noted is noted the next time"
    )
    func notes() async throws {
        try await Bench.with { bench in
            let records = ProgressDouble()
            let activity = WorkerActivity()
            let notes = ProgressNotes(queue: "queue_clip", activity: activity, queues: bench.queue, records: records)
            try await bench.queue.publish([Message(queue: "queue_clip", body: [0x7B, 0x7D])])
            await notes.note()
            activity.receive(.settled(Settled(.success, count: 3, date: Date())), from: EventSource())
            records.refuse(true)
            await notes.note()
            records.refuse(false)
            activity.receive(.settled(Settled(.success, count: 2, date: Date())), from: EventSource())
            await notes.note()
            await notes.note()
            #expect(records.noted == ["queue_clip 1 0", "queue_clip 1 5", "queue_clip 1 0"])
        }
    }

    @Test("stays, with why, when the role fails: it is started again")
    func failing() async throws {
        struct Broken: Error, CustomStringConvertible { let description = "no broker" }
        await #expect(throws: Broken.self) { try await presence().around(Drain()) { throw Broken() } }
        #expect(register.rows["queue_clip"]?.condition == WorkerCondition(.failed, reason: "no broker"))
    }

    @Test("that cannot be written stops nothing, and is written as soon as it can be")
    func refused() async throws {
        register.refuse(true)
        try await during(presence(every: .seconds(1))) {
            try await eventually { register.written.count == 1 }
            #expect(register.rows.isEmpty)
            register.refuse(false)
            await pass(1)
            #expect(register.rows["queue_clip"] != nil)
        }
        #expect(register.rows.isEmpty)
    }
}
