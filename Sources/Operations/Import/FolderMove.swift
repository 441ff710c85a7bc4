import Foundation
import Model
import Pipeline

/// A folder or file that has been renamed: `OLD=NEW`.
package struct FolderMove: Sendable {
    /// Its old path, absolute.
    package let old: String
    /// Its new path, absolute.
    package let new: String

    /// Why the text cannot be read as a move.
    package struct Fault: Error {
        package var message: String
    }

    /// If there are several `=`, the one counts that is followed by a path of this machine.
    /// - Throws: `Fault`.
    package init(_ text: String) throws(Fault) {
        let splits = text.indices.filter { text[$0] == "=" }
            .map { (old: String(text[..<$0]), new: String(text[text.index(after: $0)...])) }
            .filter { !$0.old.isEmpty && !$0.new.isEmpty }
        guard !splits.isEmpty else { throw Fault(message: "has to be OLD=NEW, is \(text)") }
        let there = splits.filter { FileManager.default.fileExists(atPath: $0.new) }
        guard let split = splits.count == 1 ? splits.first : there.count == 1 ? there.first : nil else {
            throw Fault(message: "it is unclear which = separates OLD from NEW: \(text)")
        }
        old = PathText.absolute(split.old)
        new = PathText.absolute(split.new)
        guard old != "/", new != "/" else { throw Fault(message: "neither may be the root") }
        guard old != new else { throw Fault(message: "both are \(old)") }
    }

    /// - Returns: how many paths were changed.
    /// - Throws: `OperationFault` if nothing was changed, `PortFault`.
    package func run(in records: any ImportRecords) async throws -> Int {
        let count: Int
        switch try await records.movePaths(from: old, to: new) {
        case .done(let moved): count = moved
        case .taken(let taken, let example):
            throw OperationFault.failed(
                "\(counted(taken, "path")) below \(new) would belong to two images, such as \(example): nothing is changed. "
                    + "They are images of their own, perhaps imported since: farm remove those first")
        case .endless(let example):
            throw OperationFault.failed(
                "\(example) would lie below \(old) again, and be moved once more the next time: nothing is changed. "
                    + "Move it in two steps, with a third name")
        }
        // It is no longer there. At its new place, an import sees it again.
        try await records.forgetRefusals(of: old, upTo: try await records.newestRefusal())
        return count
    }
}
