import Doubles
import Foundation
import Harmony
import Pipeline
import Synchronization
import Testing
import Waiting

@testable import Operations

/// A test double of queue and store that are out of reach.
private struct AwayParts: ReadingParts {
    private var fault: PortFault { PortFault(.transient, place: "the test", message: "it is away") }

    func queue() async throws -> Queue { throw fault }
    func store() async throws -> Store { throw fault }
}

private final class Tally: Sendable {
    private let number = Atomic(0)

    var count: Int { number.load(ordering: .relaxed) }

    func add() { number.add(1, ordering: .relaxed) }
}

@Suite("What viewers look at")
struct FarmBoardTests {
    private let time = ManualTime()
    private let looks = Tally()

    /// - Parameter span: how long a look takes.
    private func board(span: Duration = .zero) -> FarmBoard {
        FarmBoard(time: time) { [time, looks] in
            looks.add()
            if span > .zero { try? await time.sleep(span) }
            let services = ServiceDirectory(configured: [], catalogue: [])
            return await FarmView(AwayParts(), services, readsReplica: false) { nil }
        }
    }

    private var count: Int { looks.count }

    @Test("is looked at once for 50 viewers of pages, and again when that is two seconds old")
    func shared() async {
        let board = board()
        for round in 1...3 {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<50 { group.addTask { _ = await board.latest() } }
            }
            #expect(count == round)
            time.advance(by: .seconds(1.5))
            _ = await board.latest()
            #expect(count == round)
            time.advance(by: .seconds(0.6))
        }
    }

    @Test("is looked at once for 50 viewers of events, when the next look is due; and not at all once they have gone")
    func events() async throws {
        let board = board()
        let first = await board.latest()
        let seen = Tally()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    let next = await board.view(after: first.revision)
                    #expect(next.revision == first.revision + 1)
                    seen.add()
                }
            }
            await time.sleepers(1)
            #expect(seen.count == 0 && count == 1)
            time.advance(by: .seconds(2.1))
        }
        #expect(seen.count == 50 && count == 2)
        time.advance(by: .seconds(3600))
        #expect(count == 2)
    }

    @Test("is looked at for a twentieth of the time at most, however slow a look is")
    func slow() async {
        let board = board(span: .seconds(3))
        async let first = board.latest()
        await time.sleepers(1)
        time.advance(by: .seconds(3))
        _ = await first
        time.advance(by: .seconds(59))
        _ = await board.latest()
        #expect(count == 1)
        time.advance(by: .seconds(2))
        async let second = board.latest()
        await time.sleepers(1)
        #expect(count == 2)
        time.advance(by: .seconds(3))
        _ = await second
    }

    @Test("is looked at anew for who has changed something while a look was under way")
    func renewed() async {
        let board = board(span: .seconds(1))
        async let first = board.latest()
        await time.sleepers(1)
        async let renewed = board.renewed()
        // It waits for the look that may have begun before the change.
        await Task.yield()
        #expect(count == 1)
        time.advance(by: .seconds(1))
        let before = await first.revision
        await time.sleepers(1)
        #expect(count == 2)
        time.advance(by: .seconds(1))
        #expect(await renewed.revision == before + 1)
    }
}
