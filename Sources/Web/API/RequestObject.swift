import Foundation
import HTTPTypes
import Hummingbird
import Model
import NIOCore

/// A JSON object that was sent: only members that a route knows, each once.
struct RequestObject: Sendable {
    /// Longer ones nobody needs.
    private static let limit = 64 << 10

    private let members: [String: JSON]

    /// - Parameters:
    ///   - known: the names that the route takes.
    ///   - isOptional: no body counts as an empty object.
    /// - Throws: `Problem`.
    init(_ request: Request, known: Set<String>, isOptional: Bool = false) async throws {
        let body: ByteBuffer
        do { body = try await request.body.collect(upTo: RequestObject.limit) } catch is NIOTooManyBytesError {
            throw Problem(.tooLarge, "at most \(RequestObject.limit >> 10) KiB of JSON are read")
        }
        if isOptional, body.readableBytes == 0 {
            try self.init(Array("{}".utf8), known: known)
            return
        }
        guard RequestObject.isJSON(request.headers[.contentType]) else {
            throw Problem(.wrongMediaType, "send JSON, and Content-Type: application/json")
        }
        try self.init(Array(body.readableBytesView), known: known)
    }

    /// - Throws: `Problem` for what is no JSON object, and for a member that is not known, or that is there twice.
    init(_ bytes: [UInt8], known: Set<String>) throws(Problem) {
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch { throw Problem(.badRequest, "the body is no JSON: \(error)") }
        guard let list = json.objectValue else { throw Problem(.badBody, "the body is no JSON object") }
        var values: [String: JSON] = [:]
        for member in list {
            guard known.contains(member.key) else {
                throw Problem(
                    .badBody, "unknown member; known are \(known.sorted().joined(separator: ", "))",
                    parameter: String(member.key.prefix(100)))
            }
            guard values.updateValue(member.value, forKey: member.key) == nil else {
                throw Problem(.badBody, "it is there twice", parameter: member.key)
            }
        }
        members = values
    }

    /// `application/json`, perhaps with a charset.
    static func isJSON(_ type: String?) -> Bool {
        guard let type = type?.split(separator: ";").first else { return false }
        return type.filter { $0 != " " }.lowercased() == "application/json"
    }

    /// Whether it has nothing.
    var isEmpty: Bool { members.isEmpty }

    /// - Throws: `Problem` for anything but a text of 1 to so many characters, without a NUL, which no database holds.
    func text(_ name: String, upTo limit: Int = 200) throws(Problem) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.stringValue, (1...limit).contains(text.unicodeScalars.count), !text.utf8.contains(0)
        else { throw Problem(.badBody, "it is a string of 1 to \(limit) characters without NUL", parameter: name) }
        return text
    }

    /// - Throws: `Problem` for anything but a list of 1 to 100 texts.
    func texts(_ name: String, upTo limit: Int = 200) throws(Problem) -> [String]? {
        guard let value = members[name] else { return nil }
        let texts = value.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == value.arrayValue?.count, (1...100).contains(texts.count),
            texts.allSatisfy({ (1...limit).contains($0.unicodeScalars.count) && !$0.utf8.contains(0) })
        else {
            throw Problem(.badBody, "it is a list of 1 to 100 strings of 1 to \(limit) characters", parameter: name)
        }
        return texts
    }

    /// - Throws: `Problem` for anything but whole numbers from 1 on.
    func ids(_ name: String) throws(Problem) -> [ImageID]? {
        guard let value = members[name] else { return nil }
        let ids = value.arrayValue?.compactMap(\.integerValue).filter { $0 > 0 }
        guard let ids, ids.count == value.arrayValue?.count, (1...1000).contains(ids.count) else {
            throw Problem(.badBody, "it is a list of 1 to 1000 ids of images", parameter: name)
        }
        return ids
    }

    /// - Throws: `Problem` for anything but true and false.
    func flag(_ name: String) throws(Problem) -> Bool? {
        guard let value = members[name] else { return nil }
        guard let flag = value.boolValue else { throw Problem(.badBody, "it is true or false", parameter: name) }
        return flag
    }

    /// - Throws: `Problem` for anything but a whole number in the range.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let value = members[name] else { return nil }
        guard let number = value.integerValue, range.contains(number) else {
            throw Problem(
                .badBody, "it is a whole number from \(range.lowerBound) to \(range.upperBound)", parameter: name)
        }
        return number
    }

    /// - Throws: `Problem` for anything but one of the raw values.
    func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws(Problem) -> Choice?
    where Choice.RawValue == String {
        guard let value = members[name] else { return nil }
        guard let choice = value.stringValue.flatMap(Choice.init(rawValue:)) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(.badBody, "it is one of \(all)", parameter: name)
        }
        return choice
    }

    /// - Throws: `Problem` for anything but a moment as RFC 3339 writes it, in UTC.
    func moment(_ name: String) throws(Problem) -> Date? {
        guard let value = members[name] else { return nil }
        guard let text = value.stringValue, text.utf8.count <= 40, let date = Timestamp.date(text) else {
            throw Problem(.badBody, "it is a moment in UTC, such as 2026-11-30T10:00:00Z", parameter: name)
        }
        return date
    }

    /// Whether a member is there, and null: which means something else than a member that is not there.
    func isNull(_ name: String) -> Bool { members[name]?.isNull ?? false }
}
