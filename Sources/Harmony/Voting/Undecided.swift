import Model

/// An emoji that services named, but too few for it to stay in the consensus.
public struct UndecidedEmoji: Sendable, Equatable {
    /// Normalised.
    public var emoji: String
    /// Who named it, sorted.
    public var services: [String]
}

/// What the services of a consensus named and the consensus does not hold: most votes first, then by Unicode scalars.
/// - Parameters:
///   - successes: the newest successful row of each service.
///   - consensus: `consensus_data`.
public func undecided(_ successes: [StoredResult], in consensus: JSON) -> [UndecidedEmoji] {
    let voters = Set((consensus["services_list"]?.arrayValue ?? []).compactMap(\.stringValue))
    let entries = consensus["votes"]?["consensus"]?.arrayValue ?? []
    let stayed = Set(entries.compactMap { $0["emoji"]?.stringValue }.map(ExactText.init))
    let rows = newestOfEachService(successes.filter { voters.contains($0.service) })
    return tallies(of: rows) { _ in .none }
        .filter { !stayed.contains(ExactText($0.emoji)) }
        .map { UndecidedEmoji(emoji: $0.emoji, services: $0.services) }
        .sorted { left, right in
            left.services.count == right.services.count
                ? left.emoji.precedes(right.emoji) : left.services.count > right.services.count
        }
}
