import Model
import Pipeline

extension CheckFinding {
    /// The entry in `farm check --json` (spec section 1).
    package var json: JSON {
        .object([
            "status": .string(grade.rawValue), "subject": .string(subject), "message": .string(message),
        ])
    }
}
