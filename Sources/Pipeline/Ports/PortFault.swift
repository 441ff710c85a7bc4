/// What a queue or a store throws.
public struct PortFault: Error, Sendable, CustomStringConvertible {
    /// What the caller can do about it.
    public enum Kind: Sendable, Equatable {
        /// It may be repeated later: the server is busy, full or out of reach.
        case transient
        /// The statement was refused with these values. A probe tells whether any values would be refused: see
        /// `StoreGate`.
        case refused
        /// Nothing will work until a person mends it.
        case unusable
    }

    /// The kind of fault.
    public var kind: Kind
    /// The place: `farm.db`, `queue_blip on k2:5672`.
    public var place: String
    /// What happened there, and how to mend it if there is a way.
    public var message: String
    /// The statements that a person runs to mend it, each on a line of its own. The text is farm's.
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
