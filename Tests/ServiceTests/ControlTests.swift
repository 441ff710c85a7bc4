import Doubles
import Foundation
import Model
import Pipeline
import Testing
import Waiting

@testable import Services

@Suite("A service that operators have paused or limited")
struct ControlTests {
    private func control(_ revision: Int, _ change: (inout ServiceControl) -> Void) -> ServiceControl {
        var control = ServiceControl(service: "blip")
        (control.revision, control.setBy) = (revision, "anna")
        change(&control)
        return control
    }

    @Test("is not called: who waits for a slot is turned away, and calls that are out go on", .timeLimit(.minutes(1)))
    func paused() async throws {
        let held = DispatchSemaphore(value: 0)
        let server = try MisbehavingServer { _ in
            held.wait()
            return .success
        }
        let gate = ControlGate("blip") { _, _ in .unlimited }
        let bench = Bench(port: server.port, concurrency: 1, control: gate)
        #expect(bench.client.takesFreely, "as long as nobody knows what is set")
        async let out = bench.analyze()
        await server.received { $0.count == 1 }
        async let waiting = bench.analyze()
        await bench.slotWaiters(1)
        gate.adopt(control(1) { $0.isPaused = true })
        let reason = "blip at 127.0.0.1:\(server.port) is paused"
        #expect(await waiting == .unavailable(reason))
        #expect(await bench.analyze() == .unavailable(reason))
        #expect(!bench.client.takesFreely)
        #expect(await bench.client.outage() == reason)
        async let permits = bench.client.permits()
        held.signal()
        #expect(await out.isAnswered, "what was out is answered")
        gate.adopt(control(2) { $0.isPaused = false })
        #expect(try await permits == .max)
        held.signal()
        #expect(await bench.analyze().isAnswered)
        #expect(server.requests.count == 2)
    }

    @Test(
        "is called by as many at once as were set, and by as many as are configured when that is taken back",
        .timeLimit(.minutes(1)))
    func concurrency() async throws {
        let held = DispatchSemaphore(value: 0)
        let server = try MisbehavingServer { _ in
            held.wait()
            return .success
        }
        let gate = ControlGate("blip") { _, _ in .unlimited }
        let bench = Bench(port: server.port, concurrency: 2, control: gate)
        await withTaskGroup(of: Void.self) { group in
            for _ in 1...5 { group.addTask { #expect(await bench.analyze().isAnswered) } }
            await server.received { $0.count == 2 }
            await bench.slotWaiters(3)
            gate.adopt(control(1) { $0.concurrency = 4 })
            await server.received { $0.count == 4 }
            await bench.slotWaiters(1)
            for _ in 1...5 { held.signal() }
        }
        gate.adopt(control(2) { $0.concurrency = 1 })
        await withTaskGroup(of: Void.self) { group in
            for _ in 1...2 { group.addTask { #expect(await bench.analyze().isAnswered) } }
            await server.received { $0.count == 6 }
            await bench.slotWaiters(1)
            gate.adopt(control(3) { $0.concurrency = nil })
            await server.received { $0.count == 7 }
            for _ in 1...2 { held.signal() }
        }
    }
}

extension AnalysisOutcome {
    fileprivate var isAnswered: Bool { if case .answered = self { true } else { false } }
}
