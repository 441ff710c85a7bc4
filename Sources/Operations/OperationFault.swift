import Model

/// Why a use case could not be done.
package struct OperationFault: Error, Sendable {
    /// What the caller can do about it.
    package enum Kind: Sendable {
        /// It was tried and failed.
        case failed
        /// Somebody else has set it otherwise.
        case conflict
        /// What was asked for is not in the database.
        case missing
        /// It cannot be asked for like this.
        case unusable
    }

    /// What sort of fault it is.
    package var kind: Kind
    /// One line for people: what it quotes can forge no other.
    package var message: String

    /// It was tried and failed.
    package static func failed(_ line: String) -> OperationFault { OperationFault(.failed, line) }

    /// Somebody else has set it otherwise.
    package static func conflict(_ line: String) -> OperationFault { OperationFault(.conflict, line) }

    /// What was asked for is not in the database.
    package static func missing(_ line: String) -> OperationFault { OperationFault(.missing, line) }

    /// It cannot be asked for like this.
    package static func unusable(_ line: String) -> OperationFault { OperationFault(.unusable, line) }

    private init(_ kind: Kind, _ line: String) {
        self.kind = kind
        message = line.escapingSteering()
    }
}
