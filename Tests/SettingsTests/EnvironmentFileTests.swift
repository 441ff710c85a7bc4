import Foundation
import Testing

@testable import Settings

@Suite("The .env file")
struct EnvironmentFileTests {
    /// Input, and the value that python-dotenv 1.2.2 (`dotenv_values(interpolate=False)`) reads.
    static let values: [(String, String)] = [
        ("A=b", "b"), ("A = b", "b"), ("  A=b  ", "b"), ("export A=b", "b"), ("export\tA=b", "b"), ("'A'=b", "b"),
        ("A=", ""), ("A=''", ""), ("A=\"\"", ""), ("A=b c", "b c"), ("A=b # words", "b"), ("A=b#c", "b#c"),
        ("A=#b", "#b"), ("A=b\t#c", "b"), ("A='b # c'", "b # c"), ("A=\"b # c\" # words", "b # c"),
        ("A=\"b\"# words", "b"), ("A='b'   ", "b"), ("A=b'c\"d", "b'c\"d"), ("A=\"it's\"", "it's"),
        ("A='\"b\"'", "\"b\""), ("A='it\\'s \\\\ \\n'", "it's \\ \\n"),
        ("A=\"a\\tb\\nc\\\"d\\\\e\\qf\"", "a\tb\nc\"d\\e\\qf"),
        ("A=\"\\a\\b\\f\\r\\v\\'\"", "\u{7}\u{8}\u{C}\r\u{B}'"), ("A='one\ntwo'", "one\ntwo"),
        ("A=\"one\r\ntwo\"", "one\ntwo"), ("A=\"# no\n#comment\"", "# no\n#comment"), ("A=$B ${C} $$", "$B ${C} $$"),
        ("A=\"p$ss${x}\"", "p$ss${x}"), ("A=b=c==", "b=c=="), ("A=日本 é🙂", "日本 é🙂"), ("A=a\\nb", "a\\nb"),
        ("A=b\u{A0}", "b"), ("\u{C}A=b", "b"), ("export=b", "b"), ("exportA=b", "b"),
    ]

    @Test("one value is read as python-dotenv reads it", arguments: values)
    func value(_ text: String, _ expected: String) {
        let file = EnvironmentFile(parsing: Array(text.utf8))
        #expect(file.entries.map(\.value) == [expected])
        #expect(file.faults == [])
    }

    @Test("blanks before # after = are an empty value and a comment")
    func emptyWithComment() {
        #expect(EnvironmentFile(parsing: Array("A= # words".utf8)).entries == [.init(name: "A", value: "", line: 1)])
    }

    @Test("a backslash pairs with what follows, whatever stands on later lines")
    func pairedBackslash() {
        let file = EnvironmentFile(parsing: Array("A=\"a\\\\\"\nB=\"b\"".utf8))
        #expect(file.entries.map(\.value) == ["a\\", "b"])
    }

    @Test("LF, CRLF, CR and a byte order mark are all taken, and lines are counted")
    func lineEnds() {
        let bytes: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("# one\r\nA=1\r\n\r\nB='x\r\ny'\rC=3\nD".utf8)
        let file = EnvironmentFile(parsing: bytes)
        #expect(
            file.entries == [
                .init(name: "A", value: "1", line: 2), .init(name: "B", value: "x\ny", line: 4),
                .init(name: "C", value: "3", line: 6), .init(name: "D", value: nil, line: 7),
            ])
    }

    @Test(
        "a bad line is a fault with its number, and the lines after it are read",
        arguments: [
            ("DB_PASSWORD hunter2", "not NAME=VALUE"), ("DB_PASSWORD: hunter2", "not NAME=VALUE"),
            ("=hunter2", "not NAME=VALUE"), ("DB_PASSWORD=\"hunter2", "a quote that is not closed"),
            ("DB_PASSWORD='hunter2'x", "text after the closing quote"), ("hun/ter=2", "not NAME=VALUE"),
            ("1A=hunter2", "not NAME=VALUE"), ("DB_PASSWORD=hunter2\u{0}", "a NUL character"),
        ])
    func badLine(_ line: String, _ reason: String) throws {
        let file = EnvironmentFile(parsing: Array("A=1\n\(line)\nB=2\n".utf8))
        #expect(file.faults == [.init(line: 2, reason: reason)])
        #expect(file.entries.map(\.name) == ["A", "B"])
        let faults = try Machine([".env": "LOG_LEVEL=INFO\n\(line)\nLOG_FORMAT=text\n"]).faults()
        #expect(faults == [".env: line 2: \(reason)"])
    }

    @Test("what is not UTF-8 is a fault with its line")
    func notUTF8() throws {
        let machine = try Machine()
        try machine.write(Data("A=1\nDB_NAME=".utf8 + [0xFF]), to: ".env")
        #expect(machine.faults() == [".env: line 2: not UTF-8"])
    }

    @Test("the process environment wins, also with an empty value, which counts as unset")
    func precedence() throws {
        let machine = try Machine([".env": "LOG_LEVEL=ERROR\nMAX_RETRIES=2\nRETRY_DELAY=\n"])
        let settings = try machine.load(["LOG_LEVEL": "debug", "MAX_RETRIES": ""])
        #expect(settings.log.level == .debug)
        #expect(settings.maxRetries == 3)
        #expect(settings.retryDelay == .seconds(5))
        #expect(try machine.load().maxRetries == 2)
    }

    @Test("a named file is read instead of .env, and must be there")
    func namedFile() throws {
        let machine = try Machine([".env": "MAX_RETRIES=2", "other/settings": "MAX_RETRIES=4"])
        #expect(try machine.load(file: "other/settings").maxRetries == 4)
        #expect(try machine.load(file: machine.path + "/other/settings").maxRetries == 4)
        #expect(machine.faults(file: "missing") == ["missing: does not exist"])
        #expect(machine.faults(file: "other") == ["other: cannot be read: Is a directory"])
        #expect(machine.faults(file: "a\u{0}b").count == 1)
    }

    @Test("a file of over 1 MiB is refused")
    func tooLarge() throws {
        let machine = try Machine([".env": String(repeating: "#\n", count: 600_000)])
        #expect(machine.faults() == [".env: is larger than 1024 KiB"])
    }

    @Test("unknown, repeated and valueless variables and ${…} are warned about, in words that hold no value")
    func warnings() throws {
        let text = """
            DB_PASWORD=hunter2
            MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj
            c2VjcmV0=
            LOG_LEVEL=INFO
            LOG_LEVEL=ERROR
            SERVICE_NAME
            LOG_FILE=${HOME}/hunter2.log
            """
        let warnings = try Machine([".env": text]).load().warnings
        #expect(
            warnings == [
                ".env: LOG_LEVEL is in lines 4 and 5, the last one counts",
                ".env: line 6: SERVICE_NAME without = sets nothing",
                ".env: line 7: ${…} in LOG_FILE is not expanded, it is taken as it is",
                ".env: unknown and ignored: DB_PASWORD, line 2, line 3",
            ])
    }
}
