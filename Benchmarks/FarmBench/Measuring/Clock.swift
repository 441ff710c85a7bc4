import Glibc

/// Seconds on one of the kernel's clocks.
enum Clock {
    /// Time as it passes.
    static var wall: Double { seconds(CLOCK_MONOTONIC) }
    /// Processor time of this thread.
    static var thread: Double { seconds(CLOCK_THREAD_CPUTIME_ID) }
    /// Processor time of this process.
    static var process: Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

extension [Double] {
    /// The middle one.
    var median: Double { quantile(0.5) }

    /// The value below which this part of them lies; NaN if there are none.
    func quantile(_ part: Double) -> Double {
        guard !isEmpty else { return .nan }
        return sorted()[Swift.min(count - 1, Int(Double(count) * part))]
    }
}

/// Runs contenders in turn, five rounds (one, if it must be quick), so that what else the machine does meets them alike.
/// - Returns: of each the median.
func interleaved(_ contenders: [() async throws -> Double]) async throws -> [Double] {
    var results = Array(repeating: [Double](), count: contenders.count)
    for _ in 0..<Scale.of(5, quick: 1) {
        for (place, contender) in contenders.enumerated() { results[place].append(try await contender()) }
    }
    return results.map(\.median)
}
