import Model

/// A piece of a page. What is interpolated is text, and stands in the page as text whatever it holds: names of files, labels
/// and messages are other people's.
///
/// It escapes Unicode scalars: a library that compared Characters would let a quotation mark through that a combining mark
/// follows, which ends an attribute all the same.
struct HTML: Sendable, ExpressibleByStringInterpolation {
    /// As it is sent.
    let text: String

    init(stringLiteral value: String) { text = value }

    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    private init(markup: String) { text = markup }

    /// Pieces one after another.
    init(_ pieces: some Sequence<HTML>) { self.init(markup: pieces.reduce(into: "") { $0 += $1.text }) }

    /// Nothing.
    static let none: HTML = ""

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ piece: HTML) { text += piece.text }

        mutating func appendInterpolation(_ piece: HTML?) { text += piece?.text ?? "" }

        mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { text += piece.text } }

        mutating func appendInterpolation(_ number: some BinaryInteger) { text += String(number) }

        /// Text for people: what steers or disguises it is shown as an escape.
        mutating func appendInterpolation(_ value: some StringProtocol) {
            text += HTML.escaped(String(value).escapingSteering())
        }

        /// The value of an attribute, which programs read: it stays what it is.
        mutating func appendInterpolation(attribute value: some StringProtocol) { text += HTML.escaped(String(value)) }
    }

    /// Text in which nothing is markup, in an element and in a quoted attribute.
    private static func escaped(_ value: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": output.append(contentsOf: "&amp;".unicodeScalars)
            case "<": output.append(contentsOf: "&lt;".unicodeScalars)
            case ">": output.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": output.append(contentsOf: "&quot;".unicodeScalars)
            case "'": output.append(contentsOf: "&#39;".unicodeScalars)
            // Not allowed in HTML.
            case "\0": output.append("\u{FFFD}")
            default: output.append(scalar)
            }
        }
        return String(output)
    }
}
