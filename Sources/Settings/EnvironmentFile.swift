/// A parsed `.env` file, in the grammar of python-dotenv (parser.py, 1.2): comments, `export`, single and double
/// quotes, values over several lines, `#` inside quotes, inline ` #` comments, LF, CRLF or CR.
///
/// Where python-dotenv and docker differ, or either would surprise:
/// - `$` and `${NAME}` are ordinary characters, as in docker, so a password stays as it is written.
/// - `NAME= # words` is an empty value and a comment.
/// - In quotes, a backslash and the next character belong together. So `"a\\"` ends at its second quote whatever
///   follows, and `"a\"` does not end (python-dotenv closes it if no other quote follows in the file).
/// - A line that python-dotenv would skip with a log message is a fault here.
struct EnvironmentFile {
    /// One `NAME=VALUE`. `NAME` alone has no value, and sets nothing, as in both readers.
    struct Entry: Equatable {
        var name: String
        var value: String?
        var line: Int
    }

    /// A line that cannot be read: its place and the reason, never its text.
    struct Fault: Error, Equatable {
        var line: Int
        var reason: String
    }

    private(set) var entries: [Entry] = []
    private(set) var faults: [Fault] = []

    init(parsing bytes: [UInt8]) {
        guard let text = bytes.utf8Text else {
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            faults = [Fault(line: bad + 1, reason: "not UTF-8")]
            return
        }
        var scanner = EnvironmentScanner(text)
        while scanner.skipWhitespaceAndNewlines() {
            do throws(Fault) {
                if let entry = try scanner.entry() { entries.append(entry) }
            } catch {
                faults.append(error)
            }
        }
    }
}
