import CPostgreSQL
import Foundation
import Model

/// The answer to a statement: rows of text.
final class Rows {
    fileprivate let result: OpaquePointer

    /// Takes ownership of the result.
    init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    var count: Int { Int(PQntuples(result)) }

    /// How many rows the statement changed.
    var changed: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    subscript(index: Int) -> Row { Row(rows: self, index: Int32(index)) }

    var first: Row? { count > 0 ? self[0] : nil }

    func map<Value>(_ value: (Row) throws -> Value) rethrows -> [Value] { try (0..<count).map { try value(self[$0]) } }
}

/// One row. A value of an unexpected kind is nil, and never a trap.
struct Row {
    fileprivate let rows: Rows
    fileprivate let index: Int32

    private func bytes(_ column: Int32) -> UnsafeBufferPointer<UInt8>? {
        guard PQgetisnull(rows.result, index, column) == 0, let value = PQgetvalue(rows.result, index, column) else {
            return nil
        }
        let count = Int(PQgetlength(rows.result, index, column))
        return UnsafeBufferPointer(start: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: count)
    }

    func text(_ column: Int32) -> String? { bytes(column).map { String(decoding: $0, as: UTF8.self) } }

    func integer(_ column: Int32) -> Int? { text(column).flatMap { Int($0) } }

    func flag(_ column: Int32) -> Bool { text(column) == "t" }

    func real(_ column: Int32) -> Double? { text(column).flatMap(Double.init) }

    /// Seconds since 1970. nil for infinity.
    func time(_ column: Int32) -> Date? {
        real(column).flatMap { $0.isFinite ? Date(timeIntervalSince1970: $0) : nil }
    }

    /// nil if there is none. null if it is nested more deeply than farm reads.
    func json(_ column: Int32) -> JSON? { bytes(column).map { (try? JSON(parsing: $0)) ?? .null } }
}
