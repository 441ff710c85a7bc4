/// A label as it is compared: in lower case (by Unicode, without locale), trimmed, with each run of white space as one
/// space. Synonyms are not folded here.
func normalizedLabel(_ text: String) -> String {
    isNormalizedASCII(text) ? text : folded(text)
}

/// Whether the label is in this form already, as nearly every detector's is.
private func isNormalizedASCII(_ text: String) -> Bool {
    let space = UInt8(ascii: " ")
    var previous = space
    for byte in text.utf8 {
        guard byte >= space, byte < 0x7F, !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte),
            byte != space || previous != space
        else { return false }
        previous = byte
    }
    return previous != space
}

private func folded(_ text: String) -> String {
    var output = String.UnicodeScalarView()
    var spaceIsDue = false
    for scalar in text.lowercased().unicodeScalars {
        if scalar.properties.isWhitespace {
            spaceIsDue = !output.isEmpty
        } else {
            if spaceIsDue { output.append(" ") }
            spaceIsDue = false
            output.append(scalar)
        }
    }
    return String(output)
}

/// Whether a box shows a person, so that face and pose analyse its crop (spec section 8).
///
/// A word is a run of letters and digits, so "adult_man" and "woman's" name a person and "manhole" does not. Case does
/// not matter. The emoji is normalised before it is compared, so 👩🏽 counts as 🧑.
public func isPerson(label: String, emoji: String?) -> Bool {
    if let emoji = emoji.flatMap(normalizedEmoji), personEmoji.contains(where: emoji.isExactly) { return true }
    return label.lowercased().split { !$0.isLetter && !$0.isNumber }.contains { personWords.contains(String($0)) }
}

private let personWords: Set<String> = ["person", "human", "people", "man", "woman", "child", "boy", "girl"]

private let personEmoji = ["🧑", "🙂", "👤", "👥"]
