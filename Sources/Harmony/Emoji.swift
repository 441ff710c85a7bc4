/// An emoji in the form in which it is compared and stored. nil if the text is no emoji (spec section 7).
///
/// White space around it, variation selectors, skin tones and the gender endings (ZWJ ♂/♀, anywhere in a sequence) are
/// removed. The ten people of other ages, sexes and hair become 🧑. What is left is an emoji if it is one grapheme
/// cluster whose first scalar has the Unicode property Emoji and is not ASCII. So a flag is one, while a keycap (it
/// begins with its digit), two emoji in a row, and a skin tone alone are not. Normalising twice changes nothing.
public func normalizedEmoji(_ text: String) -> String? {
    let scalars = text.unicodeScalars
    guard let first = scalars.first else { return nil }
    if scalars.index(after: scalars.startIndex) == scalars.endIndex, !first.isReplacedInEmoji {
        return first.startsEmoji ? text : nil
    }
    let normalized = withoutVariants(scalars)
    guard let start = normalized.unicodeScalars.first, start.startsEmoji,
        normalized.index(after: normalized.startIndex) == normalized.endIndex
    else { return nil }
    return normalized
}

private func withoutVariants(_ scalars: String.UnicodeScalarView) -> String {
    var kept: [Unicode.Scalar] = []
    for scalar in scalars {
        switch scalar {
        case "\u{FE0E}", "\u{FE0F}", "\u{1F3FB}"..."\u{1F3FF}": continue
        case "♂" where kept.last == "\u{200D}", "♀" where kept.last == "\u{200D}": kept.removeLast()
        case _ where scalar.isPersonVariant: kept.append("🧑")
        case _ where kept.isEmpty && scalar.properties.isWhitespace: continue
        default: kept.append(scalar)
        }
    }
    while kept.last?.properties.isWhitespace == true { kept.removeLast() }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: kept)
    return String(text)
}

extension Unicode.Scalar {
    fileprivate var startsEmoji: Bool { !isASCII && properties.isEmoji }

    fileprivate var isPersonVariant: Bool {
        switch self {
        case "👨", "👩", "👦", "👧", "🧒", "👶", "👴", "👵", "🧓", "👱": true
        default: false
        }
    }

    /// Whether normalising changes this scalar when it is alone.
    fileprivate var isReplacedInEmoji: Bool {
        isPersonVariant || ("\u{1F3FB}"..."\u{1F3FF}").contains(self)
    }
}
