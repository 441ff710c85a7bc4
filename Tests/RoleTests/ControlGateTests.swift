import Foundation
import Pipeline
import Testing
import Waiting

@Suite("The gate of a service", .timeLimit(.minutes(5)))
struct ControlGateTests {
    private let gate = ControlGate("clip") { _, _ in .unlimited }

    private func set(_ revision: Int, _ change: (inout ServiceControl) -> Void = { _ in }) {
        var control = ServiceControl(service: "clip")
        control.revision = revision
        change(&control)
        gate.adopt(control)
    }

    @Test("obeys a pause once nobody takes jobs any more, and not before")
    func obeyed() async throws {
        set(1)
        #expect(gate.obeyed == 1)
        let (taking, end) = (Drain(), Drain())
        let running = Task {
            try await gate.taking {
                taking.begin()
                // As with a broker that is slow to confirm: a task of its own does not hear of the cancellation.
                await Task { await end.wait() }.value
            } end: {
            }
        }
        await taking.wait()
        set(2) { $0.isPaused = true }
        #expect(gate.isPaused && gate.obeyed == 1)
        end.begin()
        try await eventually { gate.obeyed == 2 }
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
    }

    @Test("has what was fetched given back at each pause, and lets nothing be taken before the pause ends")
    func end() async throws {
        set(1)
        let (begun, ended) = (Watched(0), Watched(0))
        let running = Task {
            try await gate.taking {
                begun.change { $0 += 1 }
                // It takes until it is cancelled, by a pause or by the end of the test.
                try await Task.sleep(for: .seconds(600))
            } end: {
                ended.change { $0 += 1 }
            }
        }
        for round in 1...3 {
            try await eventually { begun.read { $0 } == round }
            set(round * 2) { $0.isPaused = true }
            try await eventually { ended.read { $0 } == round }
            // Another reason for the pause is no reason to begin.
            set(round * 2) { ($0.isPaused, $0.reason) = (true, "lunch") }
            for _ in 0..<100 { await Task.yield() }
            #expect(begun.read { $0 } == round)
            set(round * 2 + 1)
        }
        try await eventually { begun.read { $0 } == 4 }
        // Taking obeys another limit, so it has to begin again with it.
        set(8) { $0.rateLimit = 5 }
        try await eventually { begun.read { $0 } == 5 }
        running.cancel()
        _ = await running.result
    }
}
