/// Where an event comes from.
public struct EventSource: Sendable, Hashable {
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`. Empty for what all roles of a process share.
    public var service: String
    /// The queue that it consumes. Empty if it consumes none.
    public var queue: String

    package init(service: String = "", queue: String = "") {
        self.service = service
        self.queue = queue
    }
}

/// Receives events. It is called where they happen, so it must be quick and never block.
public protocol EventSink: Sendable {
    /// Called when something has happened.
    func receive(_ event: Event, from source: EventSource)
}

/// Passes the events of one source to their sinks.
public struct EventStream: Sendable {
    /// A stream without sinks.
    public static let unheard = EventStream(EventSource(), to: [])

    /// Where the events come from.
    public let source: EventSource
    private let sinks: [any EventSink]

    package init(_ source: EventSource, to sinks: [any EventSink]) {
        self.source = source
        self.sinks = sinks
    }

    /// The same stream with one more sink.
    package func adding(_ sink: any EventSink) -> EventStream { EventStream(source, to: sinks + [sink]) }

    /// Whether there is a sink. If not, there is no need to find out anything costly for an event.
    public var isHeard: Bool { !sinks.isEmpty }

    /// Tells an event. If there is no sink, the event is not even made.
    public func tell(_ event: @autoclosure () -> Event) {
        guard isHeard else { return }
        let event = event()
        for sink in sinks { sink.receive(event, from: source) }
    }
}
