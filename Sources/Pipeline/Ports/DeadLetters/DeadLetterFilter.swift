import Foundation
import Model

/// Which dead letters of a queue are meant; what is nil is not asked for.
public struct DeadLetterFilter: Sendable, Equatable {
    /// Any of these reasons.
    public var reasons: Set<String>?
    /// Of any of these images.
    public var images: Set<ImageID>?
    /// Dead since before then; a letter that does not say since when is neither older nor newer than anything.
    public var before: Date?
    /// Dead since after then.
    public var after: Date?

    package init(
        reasons: Set<String>? = nil, images: Set<ImageID>? = nil, before: Date? = nil, after: Date? = nil
    ) {
        self.reasons = reasons
        self.images = images
        self.before = before
        self.after = after
    }

    /// Whether all that is asked for is so.
    public func matches(_ letter: DeadMessage) -> Bool {
        if let reasons, !reasons.contains(letter.reason) { return false }
        if let images, letter.imageID.map(images.contains) != true { return false }
        guard before != nil || after != nil else { return true }
        guard let deadSince = letter.deadSince else { return false }
        return before.map { deadSince < $0 } ?? true && after.map { deadSince > $0 } ?? true
    }
}
