import Model
import Pipeline

extension CheckFinding {
    /// As `farm check --json` has it (spec section 1).
    package var json: JSON {
        .object([
            "status": .string(grade.rawValue), "subject": .string(subject), "message": .string(message),
        ])
    }
}
