import Doubles
import Pipeline
import Roles
import Testing

@Suite("Reading what operators have set", .timeLimit(.minutes(5)))
struct ControlWatchTests {
    @Test("is done every two seconds, once for all services of a process, also while the store is away")
    func interval() async throws {
        try await Bench.with { bench in
            let records = FussyControl(bench.store)
            // The bench's own has sleepers of the database's.
            let time = ManualTime()
            let watch = ControlWatch(records, time: time, log: Bench.log)
            let gates = ["clip", "blip", "consensus"].map { watch.gate(for: $0) }
            let watching = Task { await watch.run() }
            for round in 1...5 {
                try await eventually { records.readCount == round }
                await time.sleepers(1)
                if round == 3 { records.fail(PortFault(.transient, place: "k1", message: "out of reach")) }
                // Everybody has to obey within five.
                time.advance(by: .seconds(2))
            }
            try await eventually { records.readCount == 6 }
            #expect(gates.map(\.obeyed) == [0, 0, 0])
            watching.cancel()
            await watching.value
        }
    }
}
