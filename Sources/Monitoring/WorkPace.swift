import Pipeline

/// How fast a queue's work goes on: over the last five minutes and over the last hour.
package struct WorkPace: Sendable, Equatable {
    private static let short = 300.0
    private static let long = 3600.0
    /// Whose time is measured by whole minutes cannot be divided by less.
    private static let leastSeconds = 10.0
    /// From how long ago a sample tells what comes in.
    private static let sampleAges = 60.0...360.0
    /// Farther ahead nobody plans.
    private static let horizon = 365 * 86_400.0

    /// Ended per second in the last five minutes.
    package var last5: Double
    /// Ended per second in the last hour, or since the first of it.
    package var last60: Double

    /// - Parameter minutes: what ended, by minutes.
    package init(_ minutes: [MinuteCount]) {
        last5 = WorkPace.rate(minutes, within: WorkPace.short)
        last60 = WorkPace.rate(minutes, within: WorkPace.long)
    }

    /// Since the first minute of the window in which anything ended: before it there was nothing to do, or nobody to do it.
    private static func rate(_ minutes: [MinuteCount], within window: Double) -> Double {
        let recent = minutes.filter { $0.done > 0 && $0.age >= 0 && $0.age <= window }
        guard let first = recent.map(\.age).max() else { return 0 }
        return Double(recent.reduce(0) { $0 + $1.done }) / max(first, leastSeconds)
    }

    /// In how many seconds what waits will be done, if work goes on as in the last five minutes or as in the last hour, and as much
    /// comes in as in the last five minutes.
    /// - Parameter samples: what has waited there before.
    /// - Returns: nil where nobody can tell: nothing was done, no fewer come in than are done, or nothing was noted yet.
    package func timeLeft(waiting: Int, samples: [WaitingSample]) -> ClosedRange<Double>? {
        let before = samples.filter { WorkPace.sampleAges.contains($0.age) }.max { $0.age < $1.age }
        guard waiting > 0, last5 > 0, let before else { return nil }
        // What is there now was there then or has come in since, and is not done.
        let incoming = max(0, Double(waiting - before.waiting) / before.age + last5)
        guard last5 > incoming else { return nil }
        let times = [last5, last60].map { $0 - incoming }.filter { $0 > 0 }.map { Double(waiting) / $0 }
        guard let low = times.min(), let high = times.max(), high <= WorkPace.horizon else { return nil }
        return low...high
    }
}
