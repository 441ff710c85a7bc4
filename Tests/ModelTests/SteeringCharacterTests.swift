import Model
import Testing

@Suite("Steering characters")
struct SteeringCharacterTests {
    @Test("What steers a terminal or turns a text around is written as JSON does, and stays the same JSON")
    func escaped() throws {
        let text =
            "red \u{1B}[31m, \u{9B}1m, back\u{8}, bell\u{7}, a\r\n\tb\0, \u{202E}gpj.exe, \u{2066}x\u{2069}, \u{2028}"
        let escaped = text.escapingSteering()
        #expect(escaped.hasPrefix(#"red \u001b[31m, \u009b1m, back\u0008, bell\u0007, a\r\n\tb\u0000, \u202egpj.exe"#))
        #expect(escaped.unicodeScalars.allSatisfy { !$0.isSteering })
        let json = JSON.object(["a": .string(text)]).text
        #expect(try JSON(parsing: json.escapingSteering()) == JSON(parsing: json))
    }

    @Test("Letters of any script, emoji and their joiners stay", arguments: ["ü 犬 שלום", "👩🏽‍🚀 ❤️ 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿", ""])
    func kept(_ text: String) {
        #expect(text.escapingSteering() == text)
    }

    @Test("What is named stays")
    func named() {
        #expect("a\tb\n\u{7}".escapingSteering(keeping: "\n\t") == "a\tb\n\\u0007")
    }
}
