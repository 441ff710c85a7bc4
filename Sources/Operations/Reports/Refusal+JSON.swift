import Model
import Pipeline

extension Refusal {
    /// As `farm import --refused --json` has it (spec section 1).
    package var json: JSON {
        .object([
            JSON.Member("place", .string(place)), JSON.Member("reason", .string(reason)),
            JSON.Member("refused_at", .string(Timestamp.iso8601(refused))),
        ])
    }
}
