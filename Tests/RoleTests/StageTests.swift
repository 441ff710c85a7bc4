import Doubles
import Foundation
import Model
import Pipeline
import Roles
import Synchronization
import Testing
import Waiting

/// A test double of a handler: counts what it is given and fails where it is told to.
private final class CountingHandler: StageHandler {
    let refused: Set<String>
    let committed = Mutex<[[String]]>([])
    let faults: Mutex<[PortFault]>
    let hold: Drain?
    let handlesOneAtATime: Bool
    private let handling = Mutex<(now: Set<String>, overlaps: Int)>(([], 0))

    /// - Parameters:
    ///   - refused: bodies that the store refuses.
    ///   - faults: what the first commits throw.
    ///   - hold: handling waits for it, or for its cancellation.
    init(
        refused: Set<String> = [], faults: [PortFault] = [], hold: Drain? = nil, handlesOneAtATime: Bool = false
    ) {
        self.refused = refused
        self.faults = Mutex(faults)
        self.hold = hold
        self.handlesOneAtATime = handlesOneAtATime
    }

    /// How often a key was handled while it was being handled.
    var overlaps: Int { handling.withLock(\.overlaps) }

    let plainRow = PlainRow.consensus

    func image(of work: String) -> ImageID { 1 }

    func admit(_ deliveries: [Delivery]) async throws -> [Admission<String, String>] {
        deliveries.map { delivery in
            let text = String(decoding: delivery.body, as: UTF8.self)
            return .work(text, text)
        }
    }

    func handle(_ work: String) async -> Bool {
        handling.withLock { if !$0.now.insert(work).inserted { $0.overlaps += 1 } }
        defer { handling.withLock { _ = $0.now.remove(work) } }
        await hold?.wait()
        return !Task.isCancelled
    }

    /// A job triggers in the queue that is named before its colon.
    private func trigger(_ work: String) -> [Message] {
        guard let colon = work.firstIndex(of: ":") else { return [] }
        return [Message(queue: String(work[..<colon]), body: Array(work.utf8))]
    }

    func commit(_ group: [(work: String, outcome: Bool)]) async throws -> [Verdict] {
        if let fault = faults.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw fault }
        guard refused.isDisjoint(with: group.map(\.work)) else {
            throw PortFault(.refused, place: "results", message: "value too long")
        }
        committed.withLock { $0.append(group.filter(\.outcome).map(\.work)) }
        return group.map { Verdict($0.outcome ? .done : .back(after: .zero), publish: trigger($0.work)) }
    }

    var all: [String] { committed.withLock { $0.flatMap { $0 } } }
}

@Suite("The stage")
struct StageTests {
    private func publish(_ bodies: [String], _ bench: Bench) async throws {
        try await bench.queue.publish(bodies.map { Message(queue: "q", body: Array($0.utf8)) })
    }

    @Test("settles everything exactly once, however much there is")
    func everything() async throws {
        try await Bench.with { bench in
            let bodies = (0..<500).map { "job \($0)" }
            try await publish(bodies, bench)
            let handler = CountingHandler()
            try await bench.run("q", Stage(bench.options("q", prefetch: 32), queue: bench.queue, handler: handler).run)
            #expect(handler.all.sorted() == bodies.sorted())
        }
    }

    @Test("buries a value that the store refuses, alone; those committed with it pass")
    func refusedValue() async throws {
        try await Bench.with { bench in
            try await publish(["a", "b", "bad", "c"], bench)
            let activity = WorkerActivity()
            let handler = CountingHandler(refused: ["bad"])
            let stage = Stage(bench.options("q", prefetch: 8, activity: activity), queue: bench.queue, handler: handler)
            try await bench.run("q", stage.run)
            #expect(handler.all.sorted() == ["a", "b", "c"])
            #expect(try await bench.depth("q").dead == 1)
            #expect(activity.snapshot.completed == 4)
            #expect(activity.snapshot.failed == 1)
        }
    }

    @Test("waits out a passing fault of the store and then commits")
    func passingFault() async throws {
        try await Bench.with { bench in
            try await publish(["a"], bench)
            let busy = PortFault(.transient, place: "farm.db", message: "busy")
            let handler = CountingHandler(faults: [busy, busy])
            let stage = Stage(bench.options("q"), queue: bench.queue, handler: handler)
            try await bench.run(stage.run) {
                bench.time.advance(by: .milliseconds(50))
                return try await bench.isEmpty("q")
            }
            #expect(handler.all == ["a"])
        }
    }

    @Test("a drain lets what is in flight finish and takes nothing new")
    func drainFinishes() async throws {
        try await Bench.with { bench in
            try await publish(["a", "b", "c"], bench)
            let hold = Drain()
            let handler = CountingHandler(hold: hold)
            let drain = Drain()
            let stage = Stage(bench.options("q", prefetch: 2), queue: bench.queue, handler: handler)
            async let running: Void = stage.run(drain)
            try await eventually { try await bench.depth("q").inFlight == 2 }
            drain.begin()
            hold.begin()
            try await running
            #expect(handler.all.sorted() == ["a", "b"])
            #expect(try await bench.depth("q").waiting == 1)
        }
    }

    @Test(
        "a drain stops the consumer before what is in flight is settled, so that nothing is on its way to it at the end"
    )
    func drainPauses() async throws {
        try await Bench.with { bench in
            try await publish(["a", "b", "c"], bench)
            let (hold, drain) = (Drain(), Drain())
            let queue = PauseWatch(bench.queue)
            let stage = Stage(bench.options("q", prefetch: 2), queue: queue, handler: CountingHandler(hold: hold))
            async let running: Void = stage.run(drain)
            try await eventually { try await bench.depth("q").inFlight == 2 }
            #expect(queue.pauses == 0)
            drain.begin()
            try await eventually { queue.pauses == 1 }
            #expect(try await bench.depth("q").inFlight == 2)
            hold.begin()
            try await running
        }
    }

    @Test("a drain that runs out of time gives back what is in flight")
    func drainGivesBack() async throws {
        try await Bench.with { bench in
            try await publish(["a", "b"], bench)
            let handler = CountingHandler(hold: Drain())
            let drain = Drain()
            let stage = Stage(bench.options("q", prefetch: 2), queue: bench.queue, handler: handler)
            async let running: Void = stage.run(drain)
            try await eventually { try await bench.depth("q").inFlight == 2 }
            drain.begin()
            try await eventually {
                bench.time.advance(by: .seconds(1))
                return try await bench.depth("q").waiting == 2
            }
            try await running
            #expect(handler.all.isEmpty)
        }
    }

    @Test("a delivery of a key that is being handled waits for its end, and is handled then")
    func oneAtATime() async throws {
        try await Bench.with { bench in
            try await publish(["a", "b"], bench)
            let hold = Drain()
            let handler = CountingHandler(hold: hold, handlesOneAtATime: true)
            let drain = Drain()
            let stage = Stage(bench.options("q", prefetch: 8), queue: bench.queue, handler: handler)
            async let running: Void = stage.run(drain)
            try await eventually { try await bench.depth("q").inFlight == 2 }
            try await publish(["a", "a", "c"], bench)
            try await eventually { try await bench.depth("q").inFlight == 5 }
            hold.begin()
            try await eventually { try await bench.isEmpty("q") }
            drain.begin()
            try await running
            #expect(handler.all.sorted() == ["a", "a", "b", "c"], "those that waited together are handled once")
            #expect(handler.overlaps == 0)
        }
    }

    @Test("a drain gives back what waits for a key's end")
    func oneAtATimeDrained() async throws {
        try await Bench.with { bench in
            try await publish(["a"], bench)
            let hold = Drain()
            let handler = CountingHandler(hold: hold, handlesOneAtATime: true)
            let drain = Drain()
            let stage = Stage(bench.options("q", prefetch: 8), queue: bench.queue, handler: handler)
            async let running: Void = stage.run(drain)
            try await eventually { try await bench.depth("q").inFlight == 1 }
            try await publish(["a"], bench)
            try await eventually { try await bench.depth("q").inFlight == 2 }
            drain.begin()
            hold.begin()
            try await running
            #expect(handler.all == ["a"])
            #expect(try await bench.depth("q").waiting == 1)
        }
    }

    @Test("one that gathers takes nothing before all is settled; what has come meanwhile is one group")
    func gathering() async throws {
        try await Bench.with { bench in
            try await publish(["first"], bench)
            let hold = Drain()
            let handler = CountingHandler(hold: hold)
            let drain = Drain()
            var options = bench.options("q", prefetch: 64)
            options.gathers = true
            let stage = Stage(options, queue: bench.queue, handler: handler)
            async let running: Void = stage.run(drain)
            try await eventually { try await bench.depth("q").inFlight == 1 }
            let others = (0..<20).map { "\($0)" }
            for body in others { try await publish([body], bench) }
            #expect(try await bench.depth("q").waiting == 20)
            hold.begin()
            try await eventually { try await bench.isEmpty("q") }
            drain.begin()
            try await running
            #expect(handler.committed.withLock { $0.first } == ["first"])
            #expect(handler.all.dropFirst().sorted() == others.sorted())
        }
    }

    @Test("triggers that a full queue does not take hold up no others, and are published once when it takes them")
    func fullQueue() async throws {
        try await Bench.with { bench in
            let queue = PickyQueue(bench.queue, refusing: "full")
            try await publish((0..<40).map { "\($0 % 2 == 0 ? "full" : "free"):\($0)" }, bench)
            let handler = CountingHandler()
            let drain = Drain()
            // More than the prefetch wait in all: what a full queue holds is no more than its share.
            let stage = Stage(bench.options("q", prefetch: 64), queue: queue, handler: handler)
            async let running: Void = stage.run(drain)
            try await eventually { try await bench.depth("free").waiting == 20 }
            try await eventually { try await bench.depth("q").inFlight == 20 }
            #expect(try await bench.depth("full").waiting == 0)
            try await publish(["free:late"], bench)
            try await eventually { try await bench.depth("free").waiting == 21 }
            queue.takeAll()
            try await eventually {
                bench.time.advance(by: .seconds(5))
                return try await bench.isEmpty("q")
            }
            #expect(try await bench.depth("full").waiting == 20)
            #expect(try await bench.depth("free").waiting == 21)
            drain.begin()
            try await running
        }
    }

    @Test("ends when a queue stays full for longer than deliveries may be held, and gives them back")
    func fullQueueForGood() async throws {
        try await Bench.with { bench in
            try await publish(["full:1"], bench)
            let stage = Stage(
                bench.options("q"), queue: PickyQueue(bench.queue, refusing: "full"), handler: CountingHandler())
            let ended = Drain()
            async let outcome: PortFault? = {
                defer { ended.begin() }
                do { try await stage.run(Drain()) } catch { return error as? PortFault }
                return nil
            }()
            try await eventually {
                bench.time.advance(by: .seconds(5))
                return ended.isBegun
            }
            #expect(await outcome?.message == "full")
            #expect(try await bench.depth("q").waiting == 1)
        }
    }
}
