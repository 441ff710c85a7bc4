import Model

/// Why a use case failed.
package struct OperationFault: Error, Sendable {
    /// What the caller can do about it.
    package enum Kind: Sendable {
        /// It was tried and failed.
        case failed
        /// Somebody else has set it otherwise.
        case conflict
        /// Something that was asked for is not in the database.
        case missing
        /// The request itself is not possible.
        case unusable
        /// What was handed in is not taken.
        case refused
    }

    /// The kind of fault.
    package var kind: Kind
    /// One line for people. Text that it quotes cannot break the line.
    package var message: String

    /// It was tried and failed.
    package static func failed(_ line: String) -> OperationFault { OperationFault(.failed, line) }

    /// Somebody else has set it otherwise.
    package static func conflict(_ line: String) -> OperationFault { OperationFault(.conflict, line) }

    /// Something that was asked for is not in the database.
    package static func missing(_ line: String) -> OperationFault { OperationFault(.missing, line) }

    /// The request itself is not possible.
    package static func unusable(_ line: String) -> OperationFault { OperationFault(.unusable, line) }

    /// What was handed in is not taken.
    package static func refused(_ line: String) -> OperationFault { OperationFault(.refused, line) }

    private init(_ kind: Kind, _ line: String) {
        self.kind = kind
        message = line.escapingSteering()
    }
}
