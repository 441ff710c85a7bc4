import Synchronization

/// The metrics of a process, and their text for Prometheus.
public final class Registry: Sendable {
    private struct State {
        var families: [any ExposedFamily] = []
        var readers: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// A registry without metrics.
    public init() {}

    /// The metrics, in the order in which they were added.
    public var definitions: [MetricDefinition] { state.withLock { $0.families.map(\.definition) } }

    /// Adds a metric.
    func add<Child: Instrument>(_ definition: MetricDefinition) -> Family<Child> {
        let family = Family<Child>(definition)
        state.withLock { state in
            precondition(
                !state.families.contains { $0.definition.name == definition.name }, "\(definition.name) is added twice")
            state.families.append(family)
        }
        return family
    }

    /// Adds a closure that sets gauges just before they are read, for values that are known at any time. It must not
    /// wait.
    public func beforeReading(_ set: @escaping @Sendable () -> Void) { state.withLock { $0.readers.append(set) } }

    /// All series in Prometheus' text format.
    public var text: String {
        let (families, readers) = state.withLock { ($0.families, $0.readers) }
        for read in readers { read() }
        var text = ExpositionText()
        for family in families { family.write(to: &text) }
        return text.text
    }
}
