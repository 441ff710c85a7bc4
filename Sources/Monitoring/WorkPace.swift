import Pipeline

/// How fast a queue's work goes on, over the last five minutes and over the last hour.
package struct WorkPace: Sendable, Equatable {
    private static let short = 300.0
    private static let long = 3600.0
    /// Time is known to the whole minute, so it is never divided by less than this.
    private static let leastSeconds = 10.0
    /// How old a sample must be to tell how much comes in, in seconds.
    private static let sampleAges = 60.0...360.0
    /// Estimates beyond this are not given.
    private static let horizon = 365 * 86_400.0

    /// Jobs that ended per second in the last five minutes.
    package var last5: Double
    /// Jobs that ended per second in the last hour, or since the first one in it.
    package var last60: Double

    /// - Parameter minutes: how many jobs ended in each minute.
    package init(_ minutes: [MinuteCount]) {
        last5 = WorkPace.rate(minutes, within: WorkPace.short)
        last60 = WorkPace.rate(minutes, within: WorkPace.long)
    }

    /// The rate since the first minute of the window in which a job ended. Before it there was nothing to do, or nobody
    /// to do it.
    private static func rate(_ minutes: [MinuteCount], within window: Double) -> Double {
        let recent = minutes.filter { $0.done > 0 && $0.age >= 0 && $0.age <= window }
        guard let first = recent.map(\.age).max() else { return 0 }
        return Double(recent.reduce(0) { $0 + $1.done }) / max(first, leastSeconds)
    }

    /// How many seconds it takes until the waiting jobs are done, as a range: at the rate of the last five minutes and
    /// at that of the last hour, with as much coming in as in the last five minutes.
    /// - Parameter samples: how many jobs waited before.
    /// - Returns: nil if nobody can tell: nothing was done, at least as much comes in as is done, or nothing was noted
    ///   yet.
    package func timeLeft(waiting: Int, samples: [WaitingSample]) -> ClosedRange<Double>? {
        let before = samples.filter { WorkPace.sampleAges.contains($0.age) }.max { $0.age < $1.age }
        guard waiting > 0, last5 > 0, let before else { return nil }
        // What waits now, waited then or has come in since, and is not done.
        let incoming = max(0, Double(waiting - before.waiting) / before.age + last5)
        guard last5 > incoming else { return nil }
        let times = [last5, last60].map { $0 - incoming }.filter { $0 > 0 }.map { Double(waiting) / $0 }
        guard let low = times.min(), let high = times.max(), high <= WorkPace.horizon else { return nil }
        return low...high
    }
}
