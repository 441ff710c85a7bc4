import Operations
import Testing
import Waiting

@Suite("Acts in the background", .timeLimit(.minutes(2)))
struct BackgroundActTests {
    private struct Failed: Error {}

    private let acts = BackgroundActs()

    private func end() async { while acts.isRunning { await Task.yield() } }

    @Test("tell how far they are while they go on, and how many were done")
    func progress() async throws {
        let (told, done) = (Drain(), Drain())
        acts.begin("drop dead letters: all", total: 9) { _, note in
            note(4)
            told.begin()
            await done.wait()
            return 7
        }
        await told.wait()
        let act = try #require(acts.all.first)
        #expect(act.text == "drop dead letters: all" && act.count == 4 && act.total == 9 && act.state == .running)
        #expect(acts.isRunning)
        done.begin()
        await end()
        #expect(acts.all.map(\.count) == [7])
        #expect(acts.all.map(\.state) == [.done])
    }

    @Test("are stopped one by one, after what is at hand")
    func stop() async throws {
        let done = Drain()
        for _ in 1...2 {
            acts.begin("requeue", total: 5) { drain, _ in
                await drain.cancels { await done.wait() }
                return drain.isBegun ? 2 : 5
            }
        }
        let first = try #require(acts.all.last)
        #expect(acts.stop(first.id) == .running)
        #expect(acts.stop(77) == nil)
        while acts.all.last?.state == .running { await Task.yield() }
        #expect(acts.all.map(\.state) == [.running, .stopped])
        #expect(acts.stop(first.id) == .stopped)
        done.begin()
        await end()
        #expect(acts.all.map(\.state) == [.done, .stopped])
        #expect(acts.all.map(\.count) == [5, 2])
    }

    @Test("are all stopped at the end, which waits for what is at hand; what is begun later stops at once")
    func finish() async throws {
        let (drained, done) = (Drain(), Drain())
        acts.begin("drop", total: nil) { drain, note in
            await drain.wait()
            drained.begin()
            await done.wait()
            note(3)
            return 3
        }
        let finished = Drain()
        let finish = Task {
            await acts.finish()
            finished.begin()
        }
        await drained.wait()
        #expect(!finished.isBegun)
        done.begin()
        await finish.value
        #expect(acts.all.map(\.state) == [.stopped] && acts.all.map(\.count) == [3])
        acts.begin("drop", total: 9) { drain, _ in drain.isBegun ? 0 : 9 }
        await acts.finish()
        #expect(acts.all.map(\.state) == [.stopped, .stopped] && acts.all.map(\.count) == [0, 3])
    }

    @Test("that fail say why, and how many were done before")
    func failing() async {
        acts.begin("drop", total: 3) { _, note in
            note(2)
            throw Failed()
        }
        await end()
        #expect(acts.all.map(\.count) == [2])
        #expect(acts.all.map(\.state) == [.failed("Failed()")])
    }

    @Test("are remembered, the newest twenty of them")
    func memory() async {
        for number in 1...25 {
            acts.begin("act \(number)", total: 1) { _, _ in 1 }
            await end()
        }
        #expect(acts.all.map(\.text) == (6...25).reversed().map { "act \($0)" })
    }
}
