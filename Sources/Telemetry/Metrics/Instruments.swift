import Synchronization

/// The name and value of a label.
package typealias MetricLabel = (name: String, value: String)

/// One series of a metric, with its own label values. Callers keep it, so that counting costs neither a look-up nor
/// memory.
package protocol Instrument: Sendable {
    init(_ kind: MetricDefinition.Kind)

    /// Writes its samples.
    func write(_ name: String, _ labels: [MetricLabel], to text: inout ExpositionText)
}

/// A sum that only grows.
package final class Counter: Instrument {
    private let bits = Atomic<UInt64>(0)

    package init(_ kind: MetricDefinition.Kind) {}

    /// Adds an amount. A negative amount, or one that is not a number, changes nothing.
    package func add(_ amount: Double = 1) {
        guard amount > 0 else { return }
        bits.change { $0 + amount }
    }

    /// Adds a count.
    package func add(_ count: Int) { add(Double(count)) }

    /// The sum so far.
    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// A value that goes up and down.
package final class Gauge: Instrument {
    private let bits = Atomic<UInt64>(0)

    package init(_ kind: MetricDefinition.Kind) {}

    /// Replaces the value.
    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    /// Replaces the value.
    package func set(_ value: Int) { set(Double(value)) }

    /// Adds an amount, which may be negative.
    package func add(_ amount: Int) { bits.change { $0 + Double(amount) } }

    /// The value now.
    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

extension Atomic<UInt64> {
    /// Changes the number whose bits these are, as one atomic step.
    fileprivate borrowing func change(_ change: (Double) -> Double) {
        var old = load(ordering: .relaxed)
        while true {
            let (exchanged, original) = weakCompareExchange(
                expected: old, desired: change(Double(bitPattern: old)).bitPattern, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}

/// Counts observations by size.
package final class Histogram: Instrument {
    /// The counts at one moment.
    package struct Snapshot: Sendable, Equatable {
        /// The number of observations at or below each bound and above the one before. The last bound is infinity.
        package var counts: [UInt64]
        /// The sum of all observations.
        package var sum: Double
        /// How many observations there were.
        package var count: UInt64 { counts.reduce(0, +) }
    }

    /// The upper bounds of the buckets, without infinity.
    package let bounds: [Double]
    private let state: Mutex<Snapshot>

    package init(_ kind: MetricDefinition.Kind) {
        if case .histogram(let bounds) = kind { self.bounds = bounds } else { bounds = [] }
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    /// Counts an observation. If a clock was set back, a time may be negative, and counts as 0. Values that are not
    /// numbers are left out.
    package func record(_ value: Double) {
        guard value.isFinite else { return }
        let value = max(0, value)
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[place] += 1
            $0.sum += value
        }
    }

    /// The present counts, taken at one moment.
    package var snapshot: Snapshot { state.withLock { $0 } }
}
