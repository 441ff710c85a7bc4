import Model

/// The votes for one emoji.
struct Tally {
    var emoji: String
    /// The services that named it, sorted.
    var services: [String] = []
    /// The words that services with semantic evidence mapped to it, as they came.
    var words: [String] = []
    var shiny = false
}

/// Counts the votes in the row of each service. Every distinct emoji that it names is one vote.
/// - Parameter successes: one row of each service, sorted by service.
/// - Returns: every emoji that was named, in no particular order.
func tallies(of successes: [StoredResult], evidence: (String) -> Evidence) -> [Tally] {
    var tallies: [ExactText: Tally] = [:]
    for success in successes {
        let isSemantic = evidence(success.service) == .semantic
        for named in predictions(in: success.data).flatMap(namedEmoji) {
            var tally = tallies.removeValue(forKey: ExactText(named.emoji)) ?? Tally(emoji: named.emoji)
            if tally.services.last?.isExactly(success.service) != true { tally.services.append(success.service) }
            if isSemantic, let word = named.word { tally.words.append(word) }
            if named.shiny { tally.shiny = true }
            tallies[ExactText(named.emoji)] = tally
        }
    }
    assert(
        tallies.values.allSatisfy { 1...successes.count ~= $0.services.count },
        "each emoji was named, and by each service once")
    return Array(tallies.values)
}

/// The `predictions` of a service's answer. Empty if it has no such list.
func predictions(in answer: JSON) -> [JSON] { answer["predictions"]?.arrayValue ?? [] }
