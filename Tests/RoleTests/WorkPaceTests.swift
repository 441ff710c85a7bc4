import Monitoring
import Pipeline
import Testing

@Suite("The pace of a queue's work")
struct WorkPaceTests {
    /// One entry a minute, from the present one on.
    private func minutes(_ done: [Int]) -> [MinuteCount] {
        done.enumerated().map { MinuteCount(age: Double($0) * 60 + 30, done: $1) }
    }

    @Test("is what ended in a window by the seconds since its first minute with any")
    func rates() {
        let steady = WorkPace(minutes(Array(repeating: 60, count: 61)))
        // Five minutes that have begun, the first of them 270 s ago.
        #expect(abs(steady.last5 - 300.0 / 270) < 1e-9)
        #expect(abs(steady.last60 - 3600.0 / 3570) < 1e-9)
        let young = WorkPace(minutes([30, 60]))
        #expect(abs(young.last5 - 1) < 1e-9)
        #expect(young.last60 == young.last5)
        let stopped = WorkPace(minutes([0, 0, 0, 0, 0, 0, 600]))
        #expect(stopped.last5 == 0)
        #expect(stopped.last60 > 0)
        #expect(WorkPace([]) == WorkPace([MinuteCount(age: -5, done: 7)]), "a clock that was set back tells nothing")
    }

    @Test("gives a range: as in the last five minutes, or as in the last hour")
    func range() throws {
        let pace = WorkPace(minutes(Array(repeating: 120, count: 5) + Array(repeating: 60, count: 56)))
        let age = 300.0
        let before = WaitingSample(age: age, waiting: 1000 + Int(pace.last5 * age))
        let left = try #require(pace.timeLeft(waiting: 1000, samples: [before]))
        #expect(abs(left.lowerBound - 1000 / pace.last5) < 5)
        #expect(abs(left.upperBound - 1000 / pace.last60) < 5)
        #expect(left.lowerBound < left.upperBound)
    }

    @Test("takes off what comes in")
    func incoming() throws {
        let pace = WorkPace(minutes(Array(repeating: 60, count: 61)))
        // Half of what is done comes in anew.
        let before = WaitingSample(age: 300, waiting: 1000 + Int(pace.last5 * 150))
        let left = try #require(pace.timeLeft(waiting: 1000, samples: [before]))
        #expect(abs(left.lowerBound - 1000 / (pace.last5 / 2)) < 20)
    }

    @Test("tells nothing where nobody can: nothing done, more comes in, nothing noted, nothing waits")
    func unknown() {
        let pace = WorkPace(minutes(Array(repeating: 60, count: 61)))
        let full = WaitingSample(age: 300, waiting: 2000)
        #expect(pace.timeLeft(waiting: 1000, samples: [full]) != nil)
        #expect(pace.timeLeft(waiting: 0, samples: [full]) == nil)
        #expect(pace.timeLeft(waiting: 1000, samples: []) == nil)
        #expect(pace.timeLeft(waiting: 1000, samples: [WaitingSample(age: 20, waiting: 2000)]) == nil, "too young")
        #expect(pace.timeLeft(waiting: 1000, samples: [WaitingSample(age: 300, waiting: 100)]) == nil, "it grows")
        #expect(
            pace.timeLeft(waiting: 1000, samples: [WaitingSample(age: 300, waiting: 1000)]) == nil, "it is kept full")
        #expect(WorkPace([]).timeLeft(waiting: 1000, samples: [full]) == nil)
    }
}
