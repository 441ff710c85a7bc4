import Model
import Waiting

/// Makes the contexts of spans, and decides which traces are recorded.
public struct Tracer: Sendable {
    /// A tracer that records nothing. Contexts that come in are passed on, so that others can record their part.
    public static let off = Tracer(ratio: 0, sink: nil)

    /// The span in which the current task works. Calls of services carry it.
    @TaskLocal public static var current: TraceContext?

    /// Which part of the traces that begin here is recorded, from 0 to 1. For other traces, whoever began them has
    /// decided.
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

    /// The context of a span that begins a trace. nil if it is not recorded.
    package func root() -> TraceContext? {
        guard isOn, ratio >= 1 || randomness() < ratio else { return nil }
        return newRoot()
    }

    /// The context of a span that is a part of another.
    /// - Returns: nil if it is not recorded.
    package func child(of parent: TraceContext?) -> TraceContext? {
        guard isOn, let parent, parent.isSampled else { return nil }
        return TraceContext(traceID: parent.traceID, spanID: Tracer.identifier(), isSampled: true)
    }

    /// The context of a span that begins a trace of its own, but follows from these.
    /// - Returns: nil if none of them is recorded.
    package func follower(of causes: [TraceContext]) -> TraceContext? {
        isOn && causes.contains(where: \.isSampled) ? newRoot() : nil
    }

    /// Records a span that has ended. If nobody records it, the span is not even made.
    package func record(_ span: @autoclosure () -> Span) { sink?.record(span()) }

    private func newRoot() -> TraceContext {
        TraceContext(
            traceID: SIMD2(Tracer.identifier(), Tracer.identifier()), spanID: Tracer.identifier(), isSampled: true)
    }

    private static func identifier() -> UInt64 { UInt64.random(in: 1...UInt64.max) }
}
