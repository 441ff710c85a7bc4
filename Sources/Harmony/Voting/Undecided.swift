import Model

/// An emoji that some services named, but too few for the consensus.
public struct UndecidedEmoji: Sendable, Equatable {
    /// The emoji, normalised.
    public var emoji: String
    /// The services that named it, sorted.
    public var services: [String]
}

/// What services named and the consensus does not contain. Most votes come first, then the order of Unicode scalars.
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
