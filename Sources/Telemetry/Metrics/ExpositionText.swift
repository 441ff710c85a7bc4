/// Prometheus' text format, version 0.0.4.
///
/// https://prometheus.io/docs/instrumenting/exposition_formats/
public struct ExpositionText {
    /// The content type of an answer in this format.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    mutating func head(_ definition: MetricDefinition) {
        text += "# HELP \(definition.name) "
        append(definition.help, escapingQuotes: false)
        text += "\n# TYPE \(definition.name) \(definition.kind.word)\n"
    }

    mutating func sample(
        _ name: String, _ labels: [MetricLabel], _ value: Double
    ) {
        text += name
        var separator = "{"
        for label in labels {
            text += separator + label.name + "=\""
            append(label.value, escapingQuotes: true)
            text += "\""
            separator = ","
        }
        if separator == "," { text += "}" }
        text += " " + ExpositionText.number(value) + "\n"
    }

    private mutating func append(_ value: String, escapingQuotes: Bool) {
        // By scalars, since a quote with a combining mark is another Character in Swift, but still a quote to the
        // reader.
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\"" where escapingQuotes: text += "\\\""
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }
}

extension MetricDefinition.Kind {
    /// The name in the text format and in the documentation.
    public var word: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}

/// A metric that writes its series.
protocol ExposedFamily: Sendable {
    var definition: MetricDefinition { get }
    func write(to text: inout ExpositionText)
}

extension Family: ExposedFamily {
    /// Writes the series. A metric without series writes nothing, not even its head.
    func write(to text: inout ExpositionText) {
        let series = series
        guard !series.isEmpty else { return }
        text.head(definition)
        for (values, child) in series {
            child.write(definition.name, zip(definition.labels, values).map { (name: $0, value: $1) }, to: &text)
        }
    }
}

extension Counter {
    package func write(_ name: String, _ labels: [MetricLabel], to text: inout ExpositionText) {
        text.sample(name, labels, value)
    }
}

extension Gauge {
    package func write(_ name: String, _ labels: [MetricLabel], to text: inout ExpositionText) {
        text.sample(name, labels, value)
    }
}

extension Histogram {
    package func write(_ name: String, _ labels: [MetricLabel], to text: inout ExpositionText) {
        let snapshot = snapshot
        var total: UInt64 = 0
        for (count, bound) in zip(snapshot.counts, bounds + [.infinity]) {
            total += count
            text.sample(
                name + "_bucket", labels + [(name: "le", value: ExpositionText.number(bound))], Double(total))
        }
        text.sample(name + "_sum", labels, snapshot.sum)
        text.sample(name + "_count", labels, Double(total))
    }
}
