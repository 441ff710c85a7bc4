import Model

/// An emoji that a prediction names, normalised.
struct NamedEmoji {
    var emoji: String
    /// The word that was mapped to it.
    var word: String?
    var shiny = false
}

/// What one prediction names (spec section 7, rule 1): of `emoji_mappings`, `word_mappings` and `emoji` the first that
/// is not empty.
///
/// A list without elements, an object without members, an empty string and a value of another type are empty. The
/// first that is not empty decides even if nothing in it is an emoji: what it names then is nothing.
func namedEmoji(in prediction: JSON) -> [NamedEmoji] {
    if prediction["type"]?.stringValue == "color_analysis" { return [] }
    if let mappings = prediction["emoji_mappings"]?.arrayValue, !mappings.isEmpty {
        return mappings.compactMap { mapping in
            named(mapping["emoji"], word: mapping["word"]?.stringValue, shiny: mapping["shiny"]?.boolValue == true)
        }
    }
    if let mappings = prediction["word_mappings"]?.objectValue, !mappings.isEmpty {
        var seen: Set<ExactText> = []
        // Of a word that stands twice the last one counts, as everywhere in JSON.
        return mappings.reversed().compactMap { mapping in
            seen.insert(ExactText(mapping.key)).inserted ? named(mapping.value, word: mapping.key) : nil
        }
    }
    return named(prediction["emoji"]).map { [$0] } ?? []
}

private func named(_ emoji: JSON?, word: String? = nil, shiny: Bool = false) -> NamedEmoji? {
    guard let emoji = emoji?.stringValue.flatMap(normalizedEmoji) else { return nil }
    return NamedEmoji(emoji: emoji, word: word?.isEmpty == true ? nil : word, shiny: shiny)
}
