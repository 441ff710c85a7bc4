import Doubles
import Testing
import Waiting

@testable import Operations

@Suite("Rounds through the dead letters")
struct DeadTurnTests {
    private let time = ManualTime()

    @Test("go one after another")
    func turns() async throws {
        let turn = DeadTurn(time: time)
        let (going, end) = (Drain(), Drain())
        async let first = turn.run { () -> Int in
            going.begin()
            await end.wait()
            return 1
        }
        await going.wait()
        async let second = turn.run { 2 }
        // It waits, and its patience has begun.
        await time.sleepers(1)
        end.begin()
        #expect(try await first == 1)
        #expect(try await second == 2)
        #expect(try await turn.run { 3 } == 3)
    }

    @Test("that take long turn others away, and the next one gets its turn all the same")
    func taken() async throws {
        let turn = DeadTurn(time: time)
        let (going, end) = (Drain(), Drain())
        async let first: Void = turn.run {
            going.begin()
            await end.wait()
        }
        await going.wait()
        let second = Task { try await turn.run { 2 } }
        await time.sleepers(1)
        time.advance(by: DeadTurn.patience)
        await #expect(throws: DeadTurn.Taken.self) { try await second.value }
        end.begin()
        try await first
        #expect(try await turn.run { 3 } == 3)
    }

    @Test("that fail end their turn")
    func failed() async throws {
        struct Broken: Error {}
        let turn = DeadTurn(time: time)
        await #expect(throws: Broken.self) { try await turn.run { throw Broken() } }
        #expect(try await turn.run { 3 } == 3)
    }
}
