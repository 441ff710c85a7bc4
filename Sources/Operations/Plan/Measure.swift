/// A figure that was measured several times.
package struct Measure: Sendable, Equatable {
    /// The mean.
    package var mean: Double
    /// The standard deviation of one measurement. 0 if it is not known.
    package var deviation: Double
    /// How often it was measured. nil if that is not known: the mean is taken as it is.
    package var count: Double?

    package init(_ mean: Double, deviation: Double = 0, count: Double? = nil) {
        self.mean = mean
        self.deviation = deviation
        self.count = count
    }

    /// The variance relative to the squared mean. 0 for a mean of 0.
    package var relativeVariance: Double { mean > 0 ? deviation * deviation / (mean * mean) : 0 }
}

/// How fast one worker is.
package struct Pace: Sendable, Equatable {
    /// Calls, or messages, that it does per second.
    package var perSecond: Double
    /// The variance of the time of one call, relative to its squared mean. Of counts in minutes: how much they vary, for
    /// each call.
    package var dispersion: Double
    /// How many calls were measured. nil if that is not known.
    package var count: Double?
    /// Whether it has never had enough to do, so that it may be faster.
    package var isAtLeast: Bool

    package init(perSecond: Double, dispersion: Double = 0, count: Double? = nil, isAtLeast: Bool = false) {
        self.perSecond = perSecond
        self.dispersion = dispersion
        self.count = count
        self.isAtLeast = isAtLeast
    }

    /// From the seconds that a call takes, and how many a worker makes at once.
    package init(seconds: Measure, concurrency: Int) {
        self.init(
            perSecond: Double(concurrency) / seconds.mean, dispersion: seconds.relativeVariance, count: seconds.count)
    }

    /// From the calls per second of a worker, measured minute by minute.
    package init(perSecond: Measure, isAtLeast: Bool = false) {
        let calls = perSecond.mean * 60
        self.init(
            perSecond: perSecond.mean, dispersion: perSecond.relativeVariance * calls,
            count: perSecond.count.map { $0 * calls }, isAtLeast: isAtLeast)
    }
}

/// A time as a range around what is most likely, in seconds.
package struct Span: Sendable, Equatable {
    /// The shortest.
    package var low: Double
    /// The most likely.
    package var mean: Double
    /// The longest.
    package var high: Double

    package init(low: Double, mean: Double, high: Double) {
        self.low = low
        self.mean = mean
        self.high = high
    }

    /// No time at all.
    package static let zero = Span(low: 0, mean: 0, high: 0)

    /// A time that may be shorter and longer by a factor.
    /// - Parameter error: 0.2: a fifth longer, or as much shorter.
    package init(_ mean: Double, error: Double) {
        self.init(low: mean / (1 + error), mean: mean, high: mean * (1 + error))
    }

    /// What ends when the last of both has ended.
    package static func later(_ first: Span, _ second: Span) -> Span {
        Span(low: max(first.low, second.low), mean: max(first.mean, second.mean), high: max(first.high, second.high))
    }

    /// One after the other.
    package static func + (first: Span, second: Double) -> Span {
        Span(low: first.low + second, mean: first.mean + second, high: first.high + second)
    }
}
