/// What a queue or a store throws.
public struct PortFault: Error, Sendable, CustomStringConvertible {
    /// What the caller can do about it.
    public enum Kind: Sendable, Equatable {
        /// Try the same again later: busy, full, out of reach.
        case transient
        /// The statement is refused with these values. Whether it would be with any, a probe tells: see `StoreGate`.
        case refused
        /// Nothing will work before a person mends it.
        case unusable
    }

    /// What sort of failure it is.
    public var kind: Kind
    /// Where: `farm.db`, `queue_blip on k2:5672`.
    public var place: String
    /// What happened there and, where there is one, the way to mend it.
    public var message: String
    /// What a person runs there to mend it, a statement or more in lines of their own; its text is farm's.
    public var script: String?

    package init(_ kind: Kind, place: String, message: String, script: String? = nil) {
        self.kind = kind
        self.place = place
        self.message = message
        self.script = script
    }

    /// One line for people, without the script.
    public var description: String { "\(place): \(message)" }
}
