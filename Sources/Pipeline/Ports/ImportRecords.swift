import Foundation
import Model

/// A file, or a line of a list, that an import has refused.
public struct Refusal: Sendable, Equatable {
    /// Grows with every refusal.
    public var id: Int
    /// Its absolute path. For a line of a list, `/lists/a.csv:3`.
    public var place: String
    /// One line for people.
    public var reason: String
    /// When it was last refused.
    public var refused: Date

    package init(id: Int, place: String, reason: String, refused: Date) {
        self.id = id
        self.place = place
        self.reason = reason
        self.refused = refused
    }
}

/// What happened to the paths below a folder that has been renamed.
public enum PathMove: Sendable, Equatable {
    /// This many images have their new path.
    case done(Int)
    /// Nothing was changed: this many of the new paths belong to other images already, such as this one.
    case taken(Int, example: String)
    /// Nothing was changed: a second move would move the new path once more.
    case endless(example: String)
}

/// What an import keeps besides the images. All methods throw `PortFault`.
public protocol ImportRecords: Sendable {
    /// Remembers refusals. They replace what is remembered of the same places. `ImageCatalogue.add` forgets the
    /// refusals of images that it takes.
    func remember(_ refused: [(place: String, reason: String)]) async throws

    /// The largest id of a refusal. 0 if there is none.
    func newestRefusal() async throws -> Int

    /// Forgets the refusals of a file, of a list's lines, or of a folder and everything below it, up to a given one.
    /// - Parameters:
    ///   - place: the absolute path.
    ///   - last: the id of the last refusal that is forgotten.
    func forgetRefusals(of place: String, upTo last: Int) async throws

    /// The next refusals by ascending id.
    func refusals(after: Int, limit: Int) async throws -> [Refusal]

    /// The refusal of exactly this place. nil if there is none.
    func refusal(of place: String) async throws -> Refusal?

    /// Rewrites the paths of a file, or of a folder and everything below it, in one transaction. Paths that are already
    /// below the new one stay, so it can be run again.
    /// - Parameters:
    ///   - old: an absolute path, not the root.
    ///   - new: another absolute path, not the root.
    func movePaths(from old: String, to new: String) async throws -> PathMove
}
