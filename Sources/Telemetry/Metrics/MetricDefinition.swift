/// What a metric is: all that a reader of its samples has to know.
public struct MetricDefinition: Sendable, Equatable {
    /// How its samples behave over time.
    public enum Kind: Sendable, Equatable {
        /// Only grows, from 0 at the start of the process.
        case counter
        /// Goes up and down.
        case gauge
        /// Counts observations by size; these are the upper bounds of its buckets, ascending, without infinity.
        case histogram([Double])
    }

    /// Such as `farm_jobs_total`.
    public let name: String
    /// How its samples behave over time.
    public let kind: Kind
    /// The names of its labels, in the order in which their values are given.
    public let labels: [String]
    /// One line for people.
    public let help: String
    /// The values that a label may have, where they are few, by the label's name.
    public let values: [String: [String]]

    /// - Parameter values: The values that a label may have, where they are few.
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
