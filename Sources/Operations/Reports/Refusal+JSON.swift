import Model
import Pipeline

extension Refusal {
    /// The entry in `farm import --refused --json` (spec section 1).
    package var json: JSON {
        .object([
            JSON.Member("place", .string(place)), JSON.Member("reason", .string(reason)),
            JSON.Member("refused_at", .string(Timestamp.iso8601(refused))),
        ])
    }
}
