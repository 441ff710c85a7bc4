import Foundation
import Testing

@testable import Settings

@Suite("Secrets")
struct SecretTests {
    /// Quotes, a comment sign, a dollar, blanks, a brace, a backslash, and letters beyond ASCII.
    static let marker = #"hunter2 "x' # $HOME ${A} \ pässwörd🙂"#
    static let secrets = ["QUEUE_PASSWORD", "DB_PASSWORD", "MONITORING_DB_PASSWORD"]

    static func inSingleQuotes(_ text: String) -> String {
        "'" + text.replacing(#"\"#, with: #"\\"#).replacing("'", with: #"\'"#) + "'"
    }

    static func inDoubleQuotes(_ text: String) -> String {
        "\"" + text.replacing(#"\"#, with: #"\\"#).replacing("\"", with: "\\\"") + "\""
    }

    /// Everything that could print a value.
    private func printed<Value>(_ value: Value) -> String {
        var dumped = ""
        dump(value, to: &dumped)
        return "\(value)" + String(describing: value) + String(reflecting: value) + dumped
            + String(describing: Mirror(reflecting: value).children.map { $0 })
    }

    private func expectHidden(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        for part in ["hunter2", "pässwörd", "$HOME"] {
            #expect(!text.contains(part), sourceLocation: sourceLocation)
        }
    }

    @Test("a password with odd characters survives .env in either quotes, the process environment and a file")
    func survives() throws {
        let marked = Dictionary(uniqueKeysWithValues: Self.secrets.map { ($0, Self.marker) })
        let others = complete.filter { !Self.secrets.contains($0.key) }
        let lines = Self.secrets.map { $0 + "=" + Self.inSingleQuotes(Self.marker) }.joined(separator: "\n")
        let double = Self.secrets.map { $0 + "=" + Self.inDoubleQuotes(Self.marker) }.joined(separator: "\n")
        let files = Dictionary(uniqueKeysWithValues: Self.secrets.map { ($0 + "_FILE", "secret") })
        for settings in [
            try Machine([".env": lines]).load(others), try Machine([".env": double]).load(others),
            try Machine().load(complete(marked)),
            try Machine(["secret": Self.marker + "\n"]).load(others.merging(files) { $1 }),
            try Machine(["secret": Self.marker + "\r\n"]).load(others.merging(files) { $1 }),
            try Machine(["secret": "\u{FEFF}" + Self.marker]).load(others.merging(files) { $1 }),
        ] {
            #expect(settings.queue?.password.reveal() == Self.marker)
            #expect(settings.database?.password.reveal() == Self.marker)
            #expect(settings.monitoring?.password.reveal() == Self.marker)
            expectHidden(printed(settings))
            expectHidden(printed(settings.queue?.password))
            expectHidden(settings.warnings.joined())
        }
    }

    @Test("no message holds a secret, wherever it stands and whatever else is wrong")
    func messages() throws {
        let marker = Self.marker
        var texts: [String] = []
        let all = Dictionary(uniqueKeysWithValues: Variable.allCases.map { ($0.rawValue, marker) })
        texts += try faults(all)
        for variable in Variable.allCases {
            let machine = try Machine()
            do throws(SettingsFault) {
                texts.append(printed(try machine.load(complete([variable.rawValue: marker])).warnings))
            } catch {
                texts.append(printed(error) + error.description)
            }
        }
        for name in Self.secrets {
            for value in [
                marker, "'" + marker, "\"" + marker, marker + "\n" + marker, "'x'" + marker, "\"x\"" + marker,
            ] {
                let machine = try Machine([
                    ".env": "\(name)=\(value)\n\(name) \(value)\n\(value)\n\(value)=1\nLOG_LEVEL=loud"
                ])
                texts += machine.faults()
            }
        }
        #expect(texts.count > 50)
        for text in texts where !text.contains("SERVICE_CONFIG") { expectHidden(text) }
    }

    @Test("one line break at the end of a secret's file is no part of it, anything else is")
    func fileContent() throws {
        let others = complete.filter { $0.key != "DB_PASSWORD" }.merging(["DB_PASSWORD_FILE": "run/secret"]) { $1 }
        for (content, password) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), (" a \n\n", " a \n"), ("a\nb\n", "a\nb")]
        {
            #expect(try Machine(["run/secret": content]).load(others).database?.password.reveal() == password)
        }
    }

    @Test("a secret given twice, or by a file that is missing, empty, large or not text, is a fault")
    func fileFaults() throws {
        for name in Self.secrets {
            let variant = name + "_FILE"
            let machine = try Machine([
                "secret": "x", "empty": "\n", "nul": "a\u{0}b", "large": String(repeating: "x", count: 70_000),
            ])
            try machine.write(Data([0xFF, 0xFE]), to: "binary")
            #expect(
                machine.faults(complete([variant: "secret"])) == [
                    "\(name): is set, and \(variant) too; set one of them"
                ])
            #expect(machine.faults(complete([variant: "secret", name: ""])) == [])
            for (file, reason) in [
                ("nowhere", "the file does not exist"), ("empty", "the file is empty"),
                ("binary", "the file is not UTF-8 text"), ("large", "the file is larger than 64 KiB"),
                (".", "the file cannot be read: Is a directory"), ("nul", "must not hold a NUL character"),
            ] {
                #expect(machine.faults(complete([variant: file, name: ""])) == ["\(variant): \(reason)"])
            }
        }
    }

    @Test("a secret shows the same words however it is printed")
    func secret() {
        let secret = Secret(Self.marker)
        expectHidden(printed(secret) + printed([secret]) + printed(["k": secret]) + printed(Optional(secret)))
        #expect("\(secret)" == "(secret)")
        #expect(String(reflecting: secret) == "(secret)")
        #expect(secret == Secret(Self.marker))
    }
}
