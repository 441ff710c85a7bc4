import Foundation
import GRDB
import Model

/// Columns that any SQLite tool may have written. A value of an unexpected kind is nil, and never a trap.
extension Row {
    func text(_ index: Int) -> String? { String.fromDatabaseValue(self[index]) }

    func integer(_ index: Int) -> Int? {
        Int64.fromDatabaseValue(self[index]).flatMap(Int.init(exactly:))
    }

    func real(_ index: Int) -> Double? { Double.fromDatabaseValue(self[index]) }

    func bytes(_ index: Int) -> [UInt8] { Data.fromDatabaseValue(self[index]).map(Array.init) ?? [] }

    func time(_ index: Int) -> Date? { StoredTime.date(self[index]) }

    /// JSON text. null if it is malformed.
    func json(_ index: Int, reading extent: JSON.Extent = .all) -> JSON {
        let parsed = try? withUnsafeData(atIndex: index) { data in
            try data.map { try JSON(parsing: $0, reading: extent) }
        }
        return (parsed ?? nil) ?? .null
    }
}

/// Values in the form in which SQLite gets them.
enum SQLiteValues {
    /// A list as one argument, for `json_each(?)`.
    static func list(_ texts: [String]) -> String { JSON.array(texts.map(JSON.string)).text }

    static func list(_ numbers: [Int]) -> String { JSON.array(numbers.map { .int(Int64($0)) }).text }
}
