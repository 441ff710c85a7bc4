import Doubles
import Foundation
import Harmony
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting

/// A test double of what operators have set: the bench's own, until it is told to be away.
private final class FussyControl: ControlRecords {
    private let records: any ControlRecords
    private let fault = Mutex<PortFault?>(nil)
    private let reads = Mutex(0)

    init(_ records: any ControlRecords, _ fault: PortFault? = nil) {
        self.records = records
        self.fault.withLock { $0 = fault }
    }

    /// How often it was read, or could not be.
    var readCount: Int { reads.withLock { $0 } }

    func fail(_ new: PortFault?) { fault.withLock { $0 = new } }

    func control() async throws -> ControlSheet {
        defer { reads.withLock { $0 += 1 } }
        if let fault = fault.withLock({ $0 }) { throw fault }
        return try await records.control()
    }

    func changeControl(
        of services: [String], _ change: @Sendable @escaping (ControlSheet) -> Result<ControlChange, any Error>
    ) async throws -> [ServiceControl] { try await records.changeControl(of: services, change) }

    func leaseTokens(_ count: Int, returning returned: Int, of service: String) async throws -> TokenLease {
        if let fault = fault.withLock({ $0 }) { throw fault }
        return try await records.leaseTokens(count, returning: returned, of: service)
    }
}

extension Bench {
    /// Sets something for a service, as an operator does.
    fileprivate func set(
        _ service: String, _ change: @Sendable @escaping (inout ServiceControl, Date) -> Void
    ) async throws {
        _ = try await store.changeControl(of: [service]) { sheet in
            var control = sheet[service]
            (control.setBy, control.setAt) = ("anna", sheet.now)
            change(&control, sheet.now)
            return .success(ControlChange([control], audit: nil))
        }
    }

    fileprivate func watch(_ records: (any ControlRecords)? = nil) -> ControlWatch {
        ControlWatch(records ?? store, time: time, log: Bench.log)
    }

    /// Moves time until a condition holds.
    fileprivate func moving(
        by step: Duration = .milliseconds(500), until condition: () async throws -> Bool
    ) async throws {
        try await eventually {
            if try await condition() { return true }
            time.advance(by: step)
            return false
        }
    }

    /// Runs a watch beside a role, and drains the role when `body` ends.
    fileprivate func run(
        _ role: @escaping @Sendable (Drain) async throws -> Void, under watch: ControlWatch,
        _ body: () async throws -> Void
    ) async throws {
        let drain = Drain()
        let watching = Task { await watch.run() }
        async let running: Void = role(drain)
        do { try await body() } catch {
            drain.begin()
            watching.cancel()
            try await running
            throw error
        }
        drain.begin()
        try await running
        watching.cancel()
        await watching.value
    }

    fileprivate func clip(_ hold: Drain? = nil) -> ScriptedService {
        ScriptedService("clip") { _, _ in
            await hold?.wait()
            return .answered(.of("clip", []))
        }
    }
}

@Suite("What operators have set is obeyed: a pause")
struct PauseTests {
    @Test("lets jobs in flight end, gives the others back and takes nothing, until it ends")
    func pause() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(6))
            let hold = Drain()
            let (service, watch) = (bench.clip(hold), bench.watch())
            var options = bench.options("queue_clip", prefetch: 2)
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            try await bench.run(stage.run, under: watch) {
                try await eventually { service.calls.count == 2 }
                try await bench.set("clip") { control, _ in control.isPaused = true }
                try await bench.moving { options.control.isPaused }
                // What is in hand goes on, and the pause is obeyed meanwhile.
                try await eventually { options.control.obeyed == 1 }
                #expect(try await bench.depth("queue_clip").inFlight == 2)
                hold.begin()
                try await eventually { try await bench.depth("queue_clip").inFlight == 0 }
                #expect(try await bench.depth("queue_clip").waiting == 4)
                bench.time.advance(by: .seconds(60))
                #expect(service.calls.count == 2, "nothing is taken")
                try await bench.set("clip") { control, _ in control.isPaused = false }
                try await bench.moving { try await bench.isEmpty("queue_clip") }
                #expect(service.calls.count == 6)
                #expect(try await bench.depth("queue_clip").dead == 0)
            }
        }
    }

    @Test("does not make a role that gathers take more before it has settled what it has")
    func gathering() async throws {
        try await Bench.with { bench in
            let (hold, watch) = (Drain(), bench.watch())
            let handler = Counter(hold: hold)
            var options = bench.options("q")
            (options.gathers, options.control) = (true, watch.gate(for: "clip"))
            let stage = Stage(options, queue: bench.queue, handler: handler)
            try await bench.queue.publish([Message(queue: "q", body: [0x31])])
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { handler.handled == 1 }
                for round in 1...2 {
                    try await bench.set("clip") { control, _ in control.isPaused = round == 1 }
                    try await bench.moving { options.control.obeyed == round }
                }
                try await bench.queue.publish([Message(queue: "q", body: [0x32])])
                // It has every opportunity.
                for _ in 0..<50 {
                    bench.time.advance(by: .milliseconds(100))
                    try await Task.sleep(for: .milliseconds(1))
                }
                #expect(handler.handled == 1)
                hold.begin()
                try await bench.moving { try await bench.isEmpty("q") }
                #expect(handler.handled == 2)
            }
        }
    }

    @Test("that was set while nobody worked is obeyed from the start")
    func fromTheStart() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(1))
            try await bench.set("clip") { control, _ in control.isPaused = true }
            let (service, watch) = (bench.clip(), bench.watch())
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { options.control.obeyed == 1 }
                bench.time.advance(by: .seconds(60))
                #expect(service.calls.isEmpty)
                #expect(try await bench.depth("queue_clip").waiting == 1)
            }
        }
    }

    @Test("ends by itself when its time has passed, by the store's clock")
    func until() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(1))
            try await bench.set("clip") { control, now in
                (control.isPaused, control.until) = (true, now.addingTimeInterval(600))
            }
            let (service, watch) = (bench.clip(), bench.watch())
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            let begin = bench.time.now()
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { try await bench.isEmpty("queue_clip") }
                #expect(bench.time.now().timeIntervalSince(begin) >= 600)
            }
        }
    }

    @Test("holds for roles, whose triggers wait")
    func role() async throws {
        try await Bench.with { bench in
            let image = try #require(try await bench.addImages(1).first)
            try await bench.record("blip", image, [])
            try await bench.trigger(.consensus, [image])
            try await bench.set("consensus") { control, _ in control.isPaused = true }
            let watch = bench.watch()
            let consensus = bench.consensus(under: watch.gate(for: "consensus"))
            try await bench.run(consensus.run, under: watch) {
                try await bench.moving { watch.gate(for: "consensus").obeyed == 1 }
                bench.time.advance(by: .seconds(60))
                #expect(try await bench.depth(PostProcessing.consensus.queue).waiting == 1)
                try await bench.set("consensus") { control, _ in control.isPaused = false }
                try await bench.moving { try await bench.isEmpty(PostProcessing.consensus.queue) }
            }
        }
    }

    @Test("goes on while the store cannot be read, and nothing is taken before it was read once")
    func away() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(2))
            let away = PortFault(.transient, place: "k1", message: "out of reach")
            let records = FussyControl(bench.store, away)
            let (service, watch) = (bench.clip(), bench.watch(records))
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            try await bench.set("clip") { control, _ in control.isPaused = true }
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { records.readCount > 3 }
                #expect(options.control.control == nil && service.calls.isEmpty)
                records.fail(nil)
                try await bench.moving { options.control.isPaused }
                records.fail(away)
                try await bench.set("clip") { control, _ in control.isPaused = false }
                let count = records.readCount
                try await bench.moving { records.readCount > count + 3 }
                #expect(options.control.isPaused, "what was read last is obeyed")
                records.fail(nil)
                try await bench.moving { try await bench.isEmpty("queue_clip") }
            }
        }
    }

    @Test("does not hold up whoever may not read what is set")
    func forbidden() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(1))
            let records = FussyControl(
                bench.store, PortFault(.refused, place: "k1", message: "permission denied for table farm_control"))
            let watch = bench.watch(records)
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(bench.clip()))
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { try await bench.isEmpty("queue_clip") }
            }
        }
    }

    @Test("is in the worker's row as soon as it is obeyed")
    func row() async throws {
        try await Bench.with { bench in
            let gate = ControlGate("clip") { _, _ in .unlimited }
            let presence = Presence(
                identity: bench.identity("clip"), queue: "queue_clip", interval: .seconds(60), register: bench.store,
                condition: { WorkerCondition(.working) }, control: gate, time: bench.time,
                notice: HeartbeatOutageNotice(log: Bench.log))
            let end = Drain()
            async let running: Void = presence.around { await end.wait() }
            try await eventually { try await bench.store.liveWorkers().map(\.revision) == [nil] }
            var control = ServiceControl(service: "clip")
            control.revision = 4
            gate.adopt(control)
            try await bench.moving { try await bench.store.liveWorkers().map(\.revision) == [4] }
            end.begin()
            try await running
        }
    }
}

extension Bench {
    fileprivate func consensus(under gate: ControlGate) -> Stage<ConsensusRole> {
        var options = options(PostProcessing.consensus.queue)
        options.control = gate
        let role = ConsensusRole(
            identity: identity("consensus"), evidence: [:], voting: .init(), store: store, time: time)
        return Stage(options, queue: queue, handler: role)
    }
}

/// A test double of a handler: counts what it is given.
private final class Counter: StageHandler {
    let count = Mutex(0)
    let hold: Drain?
    let plainRow = PlainRow.consensus

    /// - Parameter hold: what it is given it keeps until then.
    init(hold: Drain? = nil) { self.hold = hold }

    var handled: Int { count.withLock { $0 } }

    func image(of work: UUID) -> ImageID { 1 }

    func admit(_ deliveries: [Delivery]) async throws -> [Admission<UUID, UUID>] {
        deliveries.map { _ in
            let id = UUID()
            return .work(id, id)
        }
    }

    func handle(_ work: UUID) async {
        count.withLock { $0 += 1 }
        await hold?.wait()
    }

    func commit(_ group: [(work: UUID, outcome: Void)]) async throws -> [Verdict] { group.map { _ in Verdict(.done) } }
}

@Suite("What operators have set is obeyed: limits")
struct RateLimitTests {
    @Test("as many workers as there are take together what the limit allows", arguments: [1, 3, 8])
    func fleet(_ workers: Int) async throws {
        try await Bench.with { bench in
            try await bench.queue.publish((0..<1400).map { Message(queue: "queue_clip", body: Array("\($0)".utf8)) })
            try await bench.set("clip") { control, _ in control.rateLimit = 20 }
            let handler = Counter()
            let drain = Drain()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<workers {
                    // Each is a process of its own.
                    let watch = bench.watch()
                    try await watch.read()
                    var options = bench.options("queue_clip", prefetch: 4)
                    options.control = watch.gate(for: "clip")
                    let stage = Stage(options, queue: bench.queue, handler: handler)
                    group.addTask { try await stage.run(drain) }
                }
                try await eventually { handler.handled >= 1 }
                for step in 1...1200 {
                    // What half a second's tokens allow may still be on its way.
                    try await eventually { Double(handler.handled) >= Double(step) - 11 }
                    bench.time.advance(by: .milliseconds(50))
                }
                try await eventually { handler.handled >= 1140 }
                // A block is a quarter of a second's, and a bucket holds a second's at most.
                #expect(handler.handled <= 1260)
                drain.begin()
                try await group.waitForAll()
            }
            #expect(handler.handled <= 1260)
        }
    }

    @Test("a job is not taken before its token, also where the limit is set while the queue is empty")
    func token() async throws {
        try await Bench.with { bench in
            let (handler, watch) = (Counter(), bench.watch())
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: handler)
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { options.control.obeyed == 0 }
                try await bench.set("clip") { control, _ in control.rateLimit = 1 / 3600.0 }
                try await bench.moving { options.control.obeyed == 1 }
                try await bench.queue.publish((0..<3).map { Message(queue: "queue_clip", body: Array("\($0)".utf8)) })
                try await bench.moving { handler.handled == 1 }
                let begin = bench.time.now()
                try await bench.moving(by: .seconds(2)) { bench.time.now().timeIntervalSince(begin) > 1800 }
                #expect(handler.handled == 1)
                #expect(try await bench.depth("queue_clip").waiting == 2, "the others wait in the queue")
                try await bench.moving(by: .seconds(2)) { handler.handled == 2 }
                try await bench.set("clip") { control, _ in control.rateLimit = nil }
                try await bench.moving { handler.handled == 3 }
            }
        }
    }

    @Test("tokens that an idle worker has leased lapse, and another one gets them")
    func lapse() async throws {
        try await Bench.with { bench in
            try await bench.set("clip") { control, _ in control.rateLimit = 1 / 3600.0 }
            let (handler, watch) = (Counter(), bench.watch())
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: handler)
            try await bench.run(stage.run, under: watch) {
                // It has the only token there is for an hour, and nothing to do.
                try await bench.moving { bench.time.now().timeIntervalSince(bench.started) > 20 }
                try await bench.queue.publish([Message(queue: "queue_clip", body: [0x31])])
                try await bench.moving { handler.handled == 1 }
                #expect(bench.time.now().timeIntervalSince(bench.started) < 1800, "its token had come back")
            }
        }
    }

    @Test("a worker goes on when tokens cannot be leased for a while")
    func away() async throws {
        try await Bench.with { bench in
            try await bench.queue.publish((0..<8).map { Message(queue: "queue_clip", body: Array("\($0)".utf8)) })
            try await bench.set("clip") { control, _ in control.rateLimit = 1 }
            let records = FussyControl(bench.store)
            let (handler, watch) = (Counter(), bench.watch(records))
            try await watch.read()
            records.fail(PortFault(.transient, place: "k1", message: "out of reach"))
            var options = bench.options("queue_clip")
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: handler)
            try await bench.run(stage.run, under: watch) {
                let count = records.readCount
                try await bench.moving { records.readCount > count + 3 }
                #expect(handler.handled == 0)
                records.fail(nil)
                try await bench.moving { try await bench.isEmpty("queue_clip") }
            }
        }
    }

    @Test("another number of calls is taken over while jobs are in flight, more and fewer")
    func concurrency() async throws {
        try await Bench.with { bench in
            try await bench.submit("clip", try await bench.addImages(9))
            let hold = Drain()
            let (service, watch) = (bench.clip(hold), bench.watch())
            var options = bench.options("queue_clip", prefetch: 2)
            options.followsConcurrency = true
            options.control = watch.gate(for: "clip")
            let stage = Stage(options, queue: bench.queue, handler: bench.worker(service))
            try await bench.run(stage.run, under: watch) {
                try await bench.moving { service.calls.count == 2 }
                try await bench.set("clip") { control, _ in control.concurrency = 5 }
                try await bench.moving { service.calls.count == 5 }
                #expect(try await bench.depth("queue_clip").waiting == 4)
                try await bench.set("clip") { control, _ in control.concurrency = 1 }
                try await bench.moving { options.control.obeyed == 2 }
                hold.begin()
                try await bench.moving { try await bench.isEmpty("queue_clip") }
            }
        }
    }
}

@Suite("A bucket of tokens")
struct TokenBucketTests {
    private let start = Date(timeIntervalSince1970: 1_790_000_000)

    @Test("gives what has come in, in blocks, and says how long to wait for the next one")
    func blocks() {
        var bucket = TokenBucket(tokens: 0, refilled: start)
        #expect(bucket.lease(4, returning: 0, rate: 20, at: start) == .wait(.milliseconds(50)))
        let later = start.addingTimeInterval(0.1)
        #expect(bucket.lease(4, returning: 0, rate: 20, at: later) == .granted(2))
        // A quarter of a second's at most, so that little is lost with a worker that dies.
        let full = start.addingTimeInterval(10)
        #expect(bucket.lease(99, returning: 0, rate: 20, at: full) == .granted(5))
        #expect(bucket.lease(3, returning: 0, rate: 20, at: full) == .granted(3))
        guard case .wait(let wait) = TokenBucket(tokens: 0.5, refilled: start).leasing(1, rate: 0.1, at: start) else {
            Issue.record("half a token is none")
            return
        }
        #expect(wait == .seconds(5))
    }

    @Test("is full again within a second of a worker's death, whatever that had leased")
    func death() {
        var bucket = TokenBucket(tokens: 20, refilled: start)
        #expect(bucket.lease(5, returning: 0, rate: 20, at: start) == .granted(5))
        var granted = 0
        while case .granted(let count) = bucket.lease(5, returning: 0, rate: 20, at: start.addingTimeInterval(1)) {
            granted += count
        }
        #expect(granted == 20)
    }

    @Test("neither gains nor loses by a clock that is set back")
    func clock() {
        var bucket = TokenBucket(tokens: 3, refilled: start)
        #expect(bucket.lease(1, returning: 0, rate: 1, at: start.addingTimeInterval(-3600)) == .granted(1))
        #expect(bucket.tokens <= 3)
        #expect(bucket.refilled == start.addingTimeInterval(-3600))
    }
}

extension TokenBucket {
    fileprivate func leasing(_ count: Int, rate: Double, at now: Date) -> TokenLease {
        var bucket = self
        return bucket.lease(count, returning: 0, rate: rate, at: now)
    }
}
