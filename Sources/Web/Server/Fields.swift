import Model

/// Names and values of a query or of a form (URL Standard, application/x-www-form-urlencoded), in their order.
struct Fields: Sendable, Equatable {
    /// Why it cannot be read.
    struct Fault: Error, Equatable {
        var text: String
    }

    private(set) var pairs: [(name: String, value: String)]

    /// - Throws: `Fault` for what no browser sends: too many fields, percent signs without digits, bytes that are no UTF-8, NUL.
    init(_ text: some StringProtocol, limit: Int = 100) throws(Fault) {
        pairs = []
        for part in text.utf8.split(separator: UInt8(ascii: "&")) {
            guard pairs.count < limit else { throw Fault(text: "more than \(limit) fields") }
            let ends = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Fields.decoded(ends[0])
            pairs.append((name, ends.count > 1 ? try Fields.decoded(ends[1]) : ""))
        }
    }

    /// The last value of a name; nil where it is not there, or empty: so a form sends what was not filled in.
    subscript(name: String) -> String? {
        guard let value = pairs.last(where: { $0.name == name })?.value, !value.isEmpty else { return nil }
        return value
    }

    /// The last value of a name, also an empty one; nil where it is not there.
    func value(_ name: String) -> String? { pairs.last { $0.name == name }?.value }

    /// The fields, each of which is known, and there once: what is mistyped must not count as left out.
    /// - Throws: `Fault`.
    func only(_ known: Set<String>) throws(Fault) -> Fields {
        var seen: Set<String> = []
        for (name, _) in pairs {
            guard known.contains(name) else {
                let list = known.isEmpty ? "there are none" : "known are \(known.sorted().joined(separator: ", "))"
                throw Fault(text: "a field that is not known here, \(name.printable(upTo: 40)): \(list)")
            }
            guard seen.insert(name).inserted else { throw Fault(text: "the field \(name) twice") }
        }
        return self
    }

    /// Whether a name is there, which takes one value only.
    /// - Throws: `Fault` for any other value.
    func flag(_ name: String, is value: String = "1") throws(Fault) -> Bool {
        guard let given = self.value(name) else { return false }
        guard given == value else { throw Fault(text: "a value of \(name) that is not \(value)") }
        return true
    }

    /// A text; nil where it is not there, or empty.
    /// - Throws: `Fault` for one of more characters.
    func text(_ name: String, upTo limit: Int) throws(Fault) -> String? {
        guard let text = self[name] else { return nil }
        guard text.unicodeScalars.count <= limit else {
            throw Fault(text: "a value of \(name) with more than \(limit) characters")
        }
        return text
    }

    /// - Throws: `Fault` for what is no whole number of the range, in digits alone.
    func number(_ name: String, _ range: ClosedRange<Int>) throws(Fault) -> Int? {
        guard let text = self[name] else { return nil }
        guard text.utf8.count <= 20, let number = QueryParameters.number(text), range.contains(number) else {
            throw Fault(
                text: "a value of \(name) that is no whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// - Throws: `Fault` for what is no number from 0 to 1, in decimal digits.
    func fraction(_ name: String) throws(Fault) -> Double? {
        guard let text = self[name] else { return nil }
        guard text.utf8.count <= 40, text.utf8.allSatisfy("0123456789.eE+-".utf8.contains), let number = Double(text),
            (0...1).contains(number)
        else { throw Fault(text: "a value of \(name) that is no number from 0 to 1") }
        return number
    }

    static func == (left: Fields, right: Fields) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0.name == $1.name && $0.value == $1.value }
    }

    private static func decoded(_ text: some Sequence<UInt8>) throws(Fault) -> String {
        var bytes: [UInt8] = []
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(hexadecimal), let low = iterator.next().flatMap(hexadecimal)
                else { throw Fault(text: "a percent sign without two hexadecimal digits") }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        guard !bytes.contains(0) else { throw Fault(text: "a NUL") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Fault(text: "bytes that are no UTF-8") }
        return text
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
}

extension String {
    /// The text as a value of a query.
    var queryEncoded: String {
        let kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8
        return utf8.reduce(into: "") { output, byte in
            if kept.contains(byte) {
                output.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                output += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
    }
}
