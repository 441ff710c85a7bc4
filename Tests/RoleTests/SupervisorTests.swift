import Doubles
import Foundation
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting

@Suite("The supervisor")
struct SupervisorTests {
    private struct Broken: Error {}

    @Test("restarts a role that fails, with growing waits, and leaves the others running")
    func restarts() async throws {
        let time = ManualTime()
        let starts = Mutex<[Date]>([])
        let steady = Mutex(0)
        let drain = Drain()
        let broken = SupervisedRole(name: "broken", fingerprint: "") { _ in
            starts.withLock { $0.append(time.now()) }
            throw Broken()
        }
        let sound = SupervisedRole(name: "sound", fingerprint: "") { drain in
            steady.withLock { $0 += 1 }
            await drain.wait()
        }
        async let running: Void = Supervisor(time: time, log: Bench.log).run([broken, sound], drain: drain)
        try await eventually {
            time.advance(by: .milliseconds(100))
            return starts.withLock { $0.count } >= 5
        }
        drain.begin()
        await running
        let waits = starts.withLock { starts in zip(starts.dropFirst(), starts).map { $0.timeIntervalSince($1) } }
        // 1, 2, 4, 8 s, each drawn from 50…100 %.
        for (wait, base) in zip(waits, [1.0, 2, 4, 8]) { #expect(wait >= base * 0.5) }
        #expect(steady.withLock { $0 } == 1)
    }

    @Test("drains every role and then ends")
    func drains() async throws {
        let ended = Mutex<Set<String>>([])
        let drain = Drain()
        let roles = ["a", "b"].map { name in
            SupervisedRole(name: name, fingerprint: "") { drain in
                await drain.wait()
                ended.withLock { _ = $0.insert(name) }
            }
        }
        async let running: Void = Supervisor(time: ManualTime(), log: Bench.log).run(roles, drain: drain)
        drain.begin()
        await running
        #expect(ended.withLock { $0 }.isSubset(of: ["a", "b"]))
    }

    @Test("begins roles that are new, drains those that are gone, restarts those whose settings changed")
    func reconciles() async throws {
        let log = Mutex<[String]>([])
        func role(_ name: String, _ settings: String) -> SupervisedRole {
            SupervisedRole(name: name, fingerprint: settings) { drain in
                log.withLock { $0.append("+\(name)\(settings)") }
                await drain.wait()
                log.withLock { $0.append("-\(name)\(settings)") }
            }
        }
        let (changes, continuation) = AsyncStream.makeStream(of: [SupervisedRole].self)
        let drain = Drain()
        let first = [role("a", "1"), role("b", "1"), role("c", "1")]
        let second = [role("a", "1"), role("b", "2"), role("d", "1")]
        async let running: Void = Supervisor(time: ManualTime(), log: Bench.log).run(
            first, changes: changes, drain: drain)
        try await eventually { log.withLock { $0.count } == 3 }
        continuation.yield(second)
        try await eventually { log.withLock { $0.count } == 7 }
        drain.begin()
        await running
        let lines = log.withLock { $0 }
        #expect(Set(lines.prefix(3)) == ["+a1", "+b1", "+c1"])
        #expect(Set(lines[3..<7]) == ["-b1", "-c1", "+b2", "+d1"])
        #expect(Set(lines[7...]) == ["-a1", "-b2", "-d1"])
    }
}

@Suite("Heartbeats")
struct PulseTests {
    private struct Broken: Error {}

    /// A test double that refuses everything.
    private struct DeadMonitor: HeartbeatStore {
        func record(_ heartbeat: Heartbeat) async throws {
            throw PortFault(.transient, place: "monitoring", message: "out of reach")
        }
        func report(_ windows: MonitorWindows) async throws -> MonitorReport { MonitorReport() }
    }

    /// A test double that keeps what it is told.
    private final class Diary: HeartbeatStore {
        let heartbeats = Mutex<[Heartbeat]>([])
        func record(_ heartbeat: Heartbeat) async throws { heartbeats.withLock { $0.append(heartbeat) } }
        func report(_ windows: MonitorWindows) async throws -> MonitorReport { MonitorReport() }
        var all: [Heartbeat] { heartbeats.withLock { $0 } }
    }

    private func pulse(_ bench: Bench, _ store: (any HeartbeatStore)?, _ activity: WorkerActivity) -> Pulse {
        Pulse(
            identity: bench.identity("clip"), queue: "queue_clip", interval: .seconds(60), activity: activity,
            store: store,
            queues: bench.queue, time: bench.time, notice: HeartbeatOutageNotice(log: Bench.log))
    }

    @Test("an idle worker is starting, alive at every interval, and stopping")
    func idle() async throws {
        try await Bench.with { bench in
            let diary = Diary()
            let drain = Drain()
            async let running: Void = pulse(bench, diary, WorkerActivity()).around { await drain.wait() }
            try await eventually {
                bench.time.advance(by: .seconds(10))
                return diary.all.count >= 3
            }
            drain.begin()
            try await running
            #expect(diary.all.first?.status == .starting)
            #expect(diary.all.last?.status == .stopping)
            #expect(diary.all.dropFirst().dropLast().allSatisfy { $0.status == .alive })
        }
    }

    @Test("tells jobs, the rate since the last heartbeat, and the newest failure once")
    func tells() async throws {
        try await Bench.with { bench in
            let diary = Diary()
            let drain = Drain()
            let activity = WorkerActivity()
            async let running: Void = pulse(bench, diary, activity).around { await drain.wait() }
            await bench.time.sleepers(1)
            activity.receive(.settled(Settled(.success, count: 29, date: bench.time.now())), from: EventSource())
            let letter = DeadLetter(
                reason: "http", message: "clip answered 400", tries: 1, workerID: "clip", firstFailure: bench.time.now()
            )
            activity.receive(.settled(Settled(.dead(letter), count: 1, date: bench.time.now())), from: EventSource())
            bench.time.advance(by: .seconds(60))
            try await eventually { diary.all.count == 2 }
            await bench.time.sleepers(1)
            bench.time.advance(by: .seconds(60))
            try await eventually { diary.all.count == 3 }
            bench.time.advance(by: .seconds(30))
            drain.begin()
            try await running
            #expect(diary.all.last?.status == .stopping)
            #expect(diary.all.last?.jobsPerMinute == 0, "since the last heartbeat, not since the start")
            #expect(diary.all[1].status == .error)
            #expect(diary.all[1].errorMessage == "http: clip answered 400")
            #expect(diary.all[1].jobsCompleted == 30)
            #expect(diary.all[1].jobsPerMinute == 30)
            #expect(diary.all[2].status == .alive)
            #expect(diary.all[2].jobsPerMinute == 0)
        }
    }

    @Test("a role that throws says error, and its failure goes on to the supervisor")
    func error() async throws {
        try await Bench.with { bench in
            let diary = Diary()
            await #expect(throws: Broken.self) {
                try await pulse(bench, diary, WorkerActivity()).around { throw Broken() }
            }
            #expect(diary.all.map(\.status) == [.starting, .error])
        }
    }

    @Test("a monitoring database that is down stops nothing")
    func monitorDown() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(3)
            try await bench.submit("clip", images)
            let clip = ScriptedService("clip", predictions: [])
            let stage = bench.stage(bench.worker(clip), "clip")
            let pulse = pulse(bench, DeadMonitor(), WorkerActivity())
            try await bench.run("queue_clip") { drain in try await pulse.around { try await stage.run(drain) } }
            #expect(clip.calls.count == 3)
        }
    }
}
