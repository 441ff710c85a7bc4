import Doubles
import Harmony
import Testing

@Suite("Emoji")
struct EmojiTests {
    @Test(
        "variants become one form",
        arguments: [
            ("🙂", "🙂"), (" 🙂\n", "🙂"), ("\u{3000}🙂\u{A0}", "🙂"), ("❤️", "❤"), ("❤︎", "❤"), ("❤", "❤"), ("👍🏿", "👍"),
            ("👨", "🧑"), ("👩🏽", "🧑"), ("👦", "🧑"), ("👧", "🧑"), ("🧒", "🧑"), ("👶", "🧑"), ("👴", "🧑"), ("👵", "🧑"),
            ("🧓", "🧑"), ("👱", "🧑"), ("👱🏻‍♀️", "🧑"), ("🧑", "🧑"), ("🏃🏾‍♂️", "🏃"), ("🏃‍♀️‍➡️", "🏃\u{200D}➡"),
            ("👨🏼‍🚒", "🧑\u{200D}🚒"), ("👩‍🚒", "🧑\u{200D}🚒"), ("👨‍👩‍👧", "🧑\u{200D}🧑\u{200D}🧑"), ("🇩🇪", "🇩🇪"),
            ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"), ("🏳️‍🌈", "🏳\u{200D}🌈"), ("©️", "©"), ("♀️", "♀"), ("🧑\u{200D}\u{200D}♂♀", "🧑"),
            ("\u{FE0F} 🙂 \u{FE0F}", "🙂"),
        ])
    func variants(text: String, form: String) throws {
        let normalized = try #require(normalizedEmoji(text))
        #expect(Array(normalized.unicodeScalars) == Array(form.unicodeScalars))
        #expect(normalizedEmoji(normalized).map { Array($0.utf8) } == Array(normalized.utf8))
    }

    @Test(
        "what is no emoji is none",
        arguments: [
            "", " ", "\u{FE0F}", "🏽", "dog", "a", "é", "1", "1️⃣", "#️⃣", "*", "🙂🙂", "🙂 🙂", "🇩🇪🇫🇷", "🙂x", "x🙂", "\u{200D}♂",
            "\u{200D}🙂", "日", "→", "\r\n", "\u{0}", ":smile:", String(repeating: "🙂", count: 10_000),
        ])
    func noEmoji(text: String) { #expect(normalizedEmoji(text) == nil) }

    @Test("normalising twice changes nothing", arguments: 0..<2000 as Range<UInt64>)
    func idempotent(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let parts = ["👨", "🧑", "🏽", "\u{200D}", "♂", "♀", "\u{FE0F}", " ", "🚒", "a", "🇩", "\u{301}"]
        let text = (0..<Int.random(in: 1...7, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
            .joined()
        guard let once = normalizedEmoji(text) else { return }
        #expect(normalizedEmoji(once).map { Array($0.utf8) } == Array(once.utf8))
        #expect(once.count == 1)
    }
}

@Suite("People")
struct PersonTests {
    @Test(
        "a box is a person by a whole word of its label",
        arguments: [
            ("person", true), ("human", true), ("people", true), ("man", true), ("woman", true), ("child", true),
            ("boy", true), ("girl", true), ("young woman", true), ("Man", true), ("adult_man", true),
            ("woman's face", true),
            ("(girl)", true), ("manhole", false), ("human-like", true), ("snowman", false), ("children", false),
            ("personal", false),
            ("dog", false), ("", false),
        ])
    func labels(label: String, person: Bool) { #expect(isPerson(label: label, emoji: nil) == person) }

    @Test(
        "or by its emoji, normalised",
        arguments: [
            ("🧑", true), ("👩🏽", true), ("🙂", true), ("👤", true), ("👥", true), ("👶", true), ("🐶", false), ("🧑‍🚒", false),
            ("person", false), ("", false),
        ])
    func emoji(emoji: String, person: Bool) { #expect(isPerson(label: "thing", emoji: emoji) == person) }
}
