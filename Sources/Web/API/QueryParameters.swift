import Foundation
import HTTPTypes
import Hummingbird
import Model

/// The parameters of a query: only those that a route knows, each once.
struct QueryParameters: Sendable {
    private let values: [String: String]

    /// - Parameter known: the names that the route takes.
    /// - Throws: `Problem` for a name that it does not take, or that is there twice; `Fields.Fault`.
    init(_ request: Request, known: Set<String> = []) throws {
        try self.init(request.query(), known: known)
    }

    /// - Throws: `Problem` for a name that is not known, or that is there twice.
    init(_ fields: Fields, known: Set<String>) throws(Problem) {
        var values: [String: String] = [:]
        for (name, value) in fields.pairs {
            guard known.contains(name) else {
                let list = known.isEmpty ? "there are none" : "known are \(known.sorted().joined(separator: ", "))"
                throw Problem(.badParameter, "unknown parameter: \(list)", parameter: String(name.prefix(100)))
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.badParameter, "it is there twice", parameter: name)
            }
        }
        self.values = values
    }

    /// - Throws: `Problem` for an empty text, or one that is too long.
    func text(_ name: String, upTo limit: Int = 200) throws(Problem) -> String? {
        guard let value = values[name] else { return nil }
        guard (1...limit).contains(value.unicodeScalars.count) else {
            throw Problem(.badParameter, "it has 1 to \(limit) characters", parameter: name)
        }
        return value
    }

    /// Names with commas between them, of 300 characters in total: percent-encoded, several of them fit the 16 KiB of a
    /// request's head.
    /// - Throws: `Problem`.
    func list(_ name: String) throws(Problem) -> [String]? {
        guard let text = try text(name, upTo: 300) else { return nil }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard names.allSatisfy({ !$0.isEmpty }) else {
            throw Problem(.badParameter, "it is a list of names with commas between them", parameter: name)
        }
        return names
    }

    /// - Throws: `Problem` for anything but a whole number in the range.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let value = values[name] else { return nil }
        guard let number = QueryParameters.number(value), range.contains(number) else {
            throw Problem(
                .badParameter, "it is a whole number from \(range.lowerBound) to \(range.upperBound)", parameter: name)
        }
        return number
    }

    /// - Throws: `Problem` for anything but one of the raw values.
    func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws(Problem) -> Choice?
    where Choice.RawValue == String {
        guard let value = values[name] else { return nil }
        guard let choice = Choice(rawValue: value) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(.badParameter, "it is one of \(all)", parameter: name)
        }
        return choice
    }

    /// - Throws: `Problem` for anything but a moment as RFC 3339 writes it, in UTC.
    func moment(_ name: String) throws(Problem) -> Date? {
        guard let value = values[name] else { return nil }
        guard value.utf8.count <= 40, let date = Timestamp.date(value) else {
            throw Problem(.badParameter, "it is a moment in UTC, such as 2026-11-30T10:00:00Z", parameter: name)
        }
        return date
    }

    /// Digits alone, without a sign: so `+5` and ` 5` are none.
    static func number(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}

extension Context {
    /// The image that the path names.
    /// - Throws: `Problem` for anything but the digits of an id.
    func imageID() throws(Problem) -> ImageID {
        guard let text = parameters.get("id"), let id = QueryParameters.number(text), id > 0 else {
            throw Problem(.badParameter, "the id of an image is a whole number from 1 on", parameter: "id")
        }
        return id
    }

    /// The service that the path names.
    /// - Throws: `Problem`.
    func service() throws(Problem) -> String {
        guard let text = parameters.get("service"), (1...50).contains(text.unicodeScalars.count) else {
            throw Problem(.badParameter, "the name of a service has 1 to 50 characters", parameter: "service")
        }
        return text.removingPercentEncoding ?? text
    }
}
