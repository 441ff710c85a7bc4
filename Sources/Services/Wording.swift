import Foundation
import Model
import Pipeline

/// Puts texts from outside, and durations, into words for people.
enum Wording {
    /// The text on one line, without steering characters, cut to `limit` Unicode scalars.
    static func line(_ text: some StringProtocol, limit: Int = 500) -> String {
        var line = String.UnicodeScalarView()
        for (count, scalar) in text.unicodeScalars.enumerated() {
            if count == limit { return String(line) + "…" }
            line.append(scalar.isSteering ? " " : scalar)
        }
        return String(line)
    }

    /// `30 s`, `0.2 s`: to a thousandth of a second.
    static func seconds(_ duration: Duration) -> String {
        let seconds = (duration.seconds * 1000).rounded() / 1000
        return (Int(exactly: seconds)?.description ?? seconds.description) + " s"
    }

    /// `connection refused`.
    static func systemError(_ number: Int32) -> String {
        let text = String(cString: strerror(number))
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
