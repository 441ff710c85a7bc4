import Model
import Waiting

/// Gives spans their places in traces, and decides which traces are recorded.
public struct Tracer: Sendable {
    /// One that records nothing. What comes in is passed on, so that others may record their part.
    public static let off = Tracer(ratio: 0, sink: nil)

    /// The span that the current task works in; a service that is called is told of it.
    @TaskLocal public static var current: TraceContext?

    /// Of traces that begin here, this part is recorded: 0…1. Of others, whoever began them has decided.
    private let ratio: Double
    private let sink: (any SpanSink)?
    private let randomness: Randomness

    package init(ratio: Double, sink: (any SpanSink)?, randomness: @escaping Randomness = systemRandomness) {
        self.ratio = ratio
        self.sink = sink
        self.randomness = randomness
    }

    /// Whether any span is recorded.
    public var isOn: Bool { sink != nil }

    /// The place of a span that begins a trace; nil where it is not recorded.
    package func root() -> TraceContext? {
        guard isOn, ratio >= 1 || randomness() < ratio else { return nil }
        return newRoot()
    }

    /// The place of a span that is a part of another.
    /// - Returns: nil where it is not recorded.
    package func child(of parent: TraceContext?) -> TraceContext? {
        guard isOn, let parent, parent.isSampled else { return nil }
        return TraceContext(traceID: parent.traceID, spanID: Tracer.identifier(), isSampled: true)
    }

    /// The place of a span that begins a trace of its own, but follows from these.
    /// - Returns: nil where none of them is recorded.
    package func follower(of causes: [TraceContext]) -> TraceContext? {
        isOn && causes.contains(where: \.isSampled) ? newRoot() : nil
    }

    /// A span has ended; it is not even made where nobody records it.
    package func record(_ span: @autoclosure () -> Span) { sink?.record(span()) }

    private func newRoot() -> TraceContext {
        TraceContext(
            traceID: SIMD2(Tracer.identifier(), Tracer.identifier()), spanID: Tracer.identifier(), isSampled: true)
    }

    private static func identifier() -> UInt64 { UInt64.random(in: 1...UInt64.max) }
}
