import Foundation
import Model

/// A part of the work on one job or image, as OpenTelemetry has it.
public struct Span: Sendable {
    /// What it is to its neighbours; the numbers are OTLP's.
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

    /// Few different ones: `process queue_blip`, `POST`.
    public var name: String
    /// What it is to its neighbours.
    public var kind: Kind
    /// Its own place.
    public var context: TraceContext
    /// What it is a part of; nil for the first of a trace.
    public var parent: TraceContext?
    /// What it follows from, besides: triggers that were handled together.
    public var links: [TraceContext] = []
    /// When it began.
    public var began: Date
    /// When it ended.
    public var ended: Date
    /// By the names of OpenTelemetry's conventions for messaging and HTTP; others begin with `farm.`.
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

/// Who sends spans away. It is called where they end, so it must be quick and never block.
public protocol SpanSink: Sendable {
    /// A span has ended.
    func record(_ span: Span)
}
