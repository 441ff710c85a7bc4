import Foundation
import Model

/// A part of the work on one job or image, as in OpenTelemetry.
public struct Span: Sendable {
    /// The span's relation to others. The numbers are OTLP's.
    public enum Kind: Int, Sendable {
        case `internal` = 1
        case server
        case client
        case producer
        case consumer
    }

    /// A value of an attribute.
    public enum Value: Sendable, Equatable {
        case text(String)
        case number(Int)
    }

    /// The name. There are few different ones: `process queue_blip`, `POST`.
    public var name: String
    /// The span's relation to others.
    public var kind: Kind
    /// Its trace and its own id.
    public var context: TraceContext
    /// The span that it is a part of. nil for the first span of a trace.
    public var parent: TraceContext?
    /// Other spans that it follows from: triggers that were handled together.
    public var links: [TraceContext] = []
    /// When it began.
    public var began: Date
    /// When it ended.
    public var ended: Date
    /// Named by OpenTelemetry's conventions for messaging and HTTP. Farm's own names begin with `farm.`.
    public var attributes: [(name: String, value: Value)] = []
    /// Why it failed; nil if it did not.
    public var failure: String?

    package init(
        _ name: String, _ kind: Kind, _ context: TraceContext, parent: TraceContext? = nil, began: Date, ended: Date
    ) {
        self.name = name
        self.kind = kind
        self.context = context
        self.parent = parent
        self.began = began
        self.ended = ended
    }
}

/// Receives spans. It is called where they end, so it must be quick and never block.
public protocol SpanSink: Sendable {
    /// Called when a span has ended.
    func record(_ span: Span)
}
