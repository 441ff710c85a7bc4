/// Whom an event is of.
public struct EventSource: Sendable, Hashable {
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`; empty for what a process shares.
    public var service: String
    /// What it takes from; empty where it takes nothing.
    public var queue: String

    package init(service: String = "", queue: String = "") {
        self.service = service
        self.queue = queue
    }
}

/// Who makes something of events. It is called where they happen, so it must be quick and never block.
public protocol EventSink: Sendable {
    /// Something has happened.
    func receive(_ event: Event, from source: EventSource)
}

/// The events of one source, on their way to their sinks.
public struct EventStream: Sendable {
    /// One that nobody hears.
    public static let unheard = EventStream(EventSource(), to: [])

    /// Whose events they are.
    public let source: EventSource
    private let sinks: [any EventSink]

    package init(_ source: EventSource, to sinks: [any EventSink]) {
        self.source = source
        self.sinks = sinks
    }

    /// The same events, told to one more.
    package func adding(_ sink: any EventSink) -> EventStream { EventStream(source, to: sinks + [sink]) }

    /// Whether anybody hears them: what is costly to find out need not be found out for nobody.
    public var isHeard: Bool { !sinks.isEmpty }

    /// Tells an event; it is not even made where nobody hears it.
    public func tell(_ event: @autoclosure () -> Event) {
        guard isHeard else { return }
        let event = event()
        for sink in sinks { sink.receive(event, from: source) }
    }
}
