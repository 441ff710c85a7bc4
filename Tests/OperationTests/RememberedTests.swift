import Doubles
import Foundation
import Operations
import Synchronization
import Testing
import Waiting

/// Counts how often it was made.
private final class Makings: Sendable {
    private let makings = Mutex(0)

    var count: Int { makings.withLock { $0 } }

    func add() -> Int {
        makings.withLock { makings in
            makings += 1
            return makings
        }
    }
}

@Suite("A value that is costly to find out", .timeLimit(.minutes(2)))
struct RememberedTests {
    private struct Failed: Error {}

    private let time = ManualTime()
    private let makings = Makings()

    @Test("is made once for all who ask, anew when it is too old, and when it is forgotten")
    func remembered() async throws {
        let hold = Drain()
        let value = Remembered(for: 10, time: time) { [makings] in
            let number = makings.add()
            await hold.wait()
            return number
        }
        let values = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await value.latest().value } }
            while makings.count == 0 { await Task.yield() }
            hold.begin()
            return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(values == [1])
        let made = time.now()
        time.advance(by: .seconds(9))
        let latest = try await value.latest()
        #expect(latest.value == 1 && latest.made == made)
        time.advance(by: .seconds(1))
        #expect(try await value.latest().value == 2)
        await value.forget()
        #expect(try await value.latest().value == 3)
    }

    @Test("that could not be made is asked for again")
    func failing() async throws {
        let value = Remembered(for: 10, time: time) { [makings] in
            guard makings.add() > 1 else { throw Failed() }
            return "made"
        }
        await #expect(throws: Failed.self) { try await value.latest() }
        #expect(try await value.latest().value == "made")
    }
}
