/// What a reader has to know about a metric.
public struct MetricDefinition: Sendable, Equatable {
    /// How its values behave over time.
    public enum Kind: Sendable, Equatable {
        /// It only grows, from 0 at the start of the process.
        case counter
        /// It goes up and down.
        case gauge
        /// It counts observations by size. The values are the upper bounds of its buckets, ascending, without infinity.
        case histogram([Double])
    }

    /// The name, such as `farm_jobs_total`.
    public let name: String
    /// How its values behave over time.
    public let kind: Kind
    /// The names of the labels, in the order in which their values are given.
    public let labels: [String]
    /// One line for people.
    public let help: String
    /// The possible values of labels that have few, by the name of the label.
    public let values: [String: [String]]

    /// - Parameter values: the possible values of labels that have few.
    public init(
        _ name: String, _ kind: Kind, labels: [String] = [], help: String, values: [String: [String]] = [:]
    ) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
        self.values = values
    }
}
