import Foundation
import Model

/// A file, or a line of a list, that an import has refused.
public struct Refusal: Sendable, Equatable {
    /// Grows with every refusal.
    public var id: Int
    /// Its absolute path; of a line of a list `/lists/a.csv:3`.
    public var place: String
    /// One line for people.
    public var reason: String
    /// When it was refused last.
    public var refused: Date

    package init(id: Int, place: String, reason: String, refused: Date) {
        self.id = id
        self.place = place
        self.reason = reason
        self.refused = refused
    }
}

/// What became of the paths below a folder that has another name now.
public enum PathMove: Sendable, Equatable {
    /// So many images have their new path.
    case done(Int)
    /// Nothing was changed: so many of the new paths are other images already; one of them.
    case taken(Int, example: String)
    /// Nothing was changed: a second time the new path would be moved once more.
    case endless(example: String)
}

/// What an import keeps beside the images. All throw `PortFault`.
public protocol ImportRecords: Sendable {
    /// Remembers what was refused, in place of what is remembered of the same places. `ImageCatalogue.add` forgets what it
    /// takes.
    func remember(_ refused: [(place: String, reason: String)]) async throws

    /// The largest id of a refusal; 0 if there is none.
    func newestRefusal() async throws -> Int

    /// Forgets what was refused of a file, a list's lines or a folder and all below it, no later than a refusal.
    /// - Parameters:
    ///   - place: its absolute path.
    ///   - last: the id of the last one that goes.
    func forgetRefusals(of place: String, upTo last: Int) async throws

    /// The next refusals by ascending id.
    func refusals(after: Int, limit: Int) async throws -> [Refusal]

    /// What was refused of exactly this place; nil if nothing was.
    func refusal(of place: String) async throws -> Refusal?

    /// Rewrites the paths of a file, or of a folder and all below it, in one transaction. What lies below the new path
    /// already stays, so that it can be run again.
    /// - Parameters:
    ///   - old: absolute, not the root.
    ///   - new: likewise, another one.
    func movePaths(from old: String, to new: String) async throws -> PathMove
}
