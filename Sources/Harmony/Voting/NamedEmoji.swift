import Model

/// An emoji that a prediction names, normalised.
struct NamedEmoji {
    var emoji: String
    /// The word that the service mapped to it.
    var word: String?
    var shiny = false
}

/// What a prediction maps to an emoji, as it was sent.
struct EmojiMapping {
    var emoji: JSON?
    var word: String?
    var shiny = false

    /// nil if it is no emoji.
    var named: NamedEmoji? {
        guard let emoji = emoji?.stringValue.flatMap(normalizedEmoji) else { return nil }
        return NamedEmoji(emoji: emoji, word: word?.isEmpty == true ? nil : word, shiny: shiny)
    }
}

/// What one prediction names (spec section 7, rule 1). The first of `emoji_mappings`, `word_mappings` and `emoji` that
/// is not empty decides.
///
/// An empty array, an empty object, an empty string and a value of another type are empty. The first one that is not
/// empty decides even if it contains no emoji. Then the prediction names nothing.
func namedEmoji(in prediction: JSON) -> [NamedEmoji] { emojiMappings(in: prediction).compactMap(\.named) }

/// The mappings that decide what a prediction names.
func emojiMappings(in prediction: JSON) -> [EmojiMapping] {
    if prediction["type"]?.stringValue == "color_analysis" { return [] }
    if let mappings = prediction["emoji_mappings"]?.arrayValue, !mappings.isEmpty {
        return mappings.map { mapping in
            EmojiMapping(
                emoji: mapping["emoji"], word: mapping["word"]?.stringValue, shiny: mapping["shiny"]?.boolValue == true)
        }
    }
    if let mappings = prediction["word_mappings"]?.objectValue, !mappings.isEmpty {
        var seen: Set<ExactText> = []
        // If a word is there twice, the last one counts, as everywhere in JSON.
        return mappings.reversed().compactMap { mapping in
            seen.insert(ExactText(mapping.key)).inserted
                ? EmojiMapping(emoji: mapping.value, word: mapping.key) : nil
        }
    }
    return prediction["emoji"].map { [EmojiMapping(emoji: $0)] } ?? []
}
