import Synchronization

/// All series of one metric, by the values of their labels.
package final class Family<Child: Instrument>: Sendable {
    /// The largest number of series. More than this means that an id has become a label value. The rest share one
    /// series.
    static var limit: Int { 2_000 }

    /// The value of every label in the series that the rest share.
    static var rest: String { "other" }

    /// The definition of the metric.
    package let definition: MetricDefinition
    private let children = Mutex<[[String]: Child]>([:])

    init(_ definition: MetricDefinition) { self.definition = definition }

    /// The series with these label values, in the order of the definition. It is made when it is first asked for.
    ///
    /// Callers that count often ask once and keep the result.
    package func labelled(_ values: String...) -> Child { child(values) }

    func child(_ values: [String]) -> Child {
        precondition(
            values.count == definition.labels.count,
            "\(definition.name) has \(definition.labels.count) labels, not \(values.count)")
        return children.withLock { children in
            if let child = children[values] { return child }
            let isFull = children.count >= Family.limit
            let key = isFull ? values.map { _ in Family.rest } : values
            if let child = children[key] { return child }
            let child = Child(definition.kind)
            children[key] = child
            return child
        }
    }

    /// The present series, in a fixed order.
    var series: [(labels: [String], child: Child)] {
        children.withLock { $0.map { (labels: $0.key, child: $0.value) } }
            .sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
    }
}

extension Family<Gauge> {
    /// Replaces all series. What was measured before and is not now, has no value any more.
    func replaceAll(_ rows: [(labels: [String], value: Double)]) {
        children.withLock { children in
            var new: [[String]: Gauge] = [:]
            for row in rows.prefix(Family.limit) {
                let gauge = children[row.labels] ?? Gauge(definition.kind)
                gauge.set(row.value)
                new[row.labels] = gauge
            }
            children = new
        }
    }
}

extension Family where Child == Counter {
    /// The one series of a metric without labels.
    package func add(_ amount: Int = 1) { child([]).add(amount) }
}
