extension Unicode.Scalar {
    /// Whether the character controls a terminal or disguises a text instead of standing for itself: a control
    /// character of ASCII or Latin-1, a line or paragraph separator, a byte order mark, or a control of bidirectional
    /// text (Unicode, UAX #9; Boucher and Anderson, "Trojan Source: Invisible Vulnerabilities", 2021).
    public var isSteering: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x206F, 0xFEFF: true
        default: false
        }
    }
}

extension String {
    /// The text with each steering character written as in JSON, such as `\n` and `\u001b`, except those in `kept`. So
    /// a line stays one line, and JSON stays the same JSON.
    public func escapingSteering(keeping kept: String = "") -> String {
        guard unicodeScalars.contains(where: \.isSteering) else { return self }
        var output = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.isSteering && !kept.unicodeScalars.contains(scalar) {
                output.append(contentsOf: scalar.escape.unicodeScalars)
            } else {
                output.append(scalar)
            }
        }
        return String(output)
    }
}

extension Unicode.Scalar {
    fileprivate var escape: String {
        switch self {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(value, radix: 16)
            return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }
}
