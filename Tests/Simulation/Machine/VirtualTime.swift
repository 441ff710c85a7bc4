/// A moment, or a span, of simulated time.
struct VirtualTime: Comparable, Hashable, Sendable {
    var microseconds: Int64

    static func milliseconds(_ count: Int) -> VirtualTime { VirtualTime(microseconds: Int64(count) * 1000) }
    static func seconds(_ count: Int) -> VirtualTime { VirtualTime(microseconds: Int64(count) * 1_000_000) }

    init(microseconds: Int64) { self.microseconds = microseconds }

    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }

    var duration: Duration { .microseconds(microseconds) }
    var seconds: Double { Double(microseconds) * 1e-6 }

    static func < (left: VirtualTime, right: VirtualTime) -> Bool { left.microseconds < right.microseconds }
    static func + (left: VirtualTime, right: VirtualTime) -> VirtualTime {
        VirtualTime(microseconds: left.microseconds + right.microseconds)
    }
    static func - (left: VirtualTime, right: VirtualTime) -> VirtualTime {
        VirtualTime(microseconds: left.microseconds - right.microseconds)
    }
}
