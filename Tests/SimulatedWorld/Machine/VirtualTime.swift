/// A moment, or a span, of simulated time.
package struct VirtualTime: Comparable, Hashable, Sendable {
    package var microseconds: Int64

    package static func milliseconds(_ count: Int) -> VirtualTime { VirtualTime(microseconds: Int64(count) * 1000) }
    package static func seconds(_ count: Int) -> VirtualTime { VirtualTime(microseconds: Int64(count) * 1_000_000) }

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }

    package var duration: Duration { .microseconds(microseconds) }
    package var seconds: Double { Double(microseconds) * 1e-6 }

    package static func < (left: VirtualTime, right: VirtualTime) -> Bool { left.microseconds < right.microseconds }
    package static func + (left: VirtualTime, right: VirtualTime) -> VirtualTime {
        VirtualTime(microseconds: left.microseconds + right.microseconds)
    }
    package static func - (left: VirtualTime, right: VirtualTime) -> VirtualTime {
        VirtualTime(microseconds: left.microseconds - right.microseconds)
    }
}
