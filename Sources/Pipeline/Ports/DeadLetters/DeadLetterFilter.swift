import Foundation
import Model

/// Selects dead letters of a queue. A criterion that is nil is not applied.
public struct DeadLetterFilter: Sendable, Equatable {
    /// Any of these reasons.
    public var reasons: Set<String>?
    /// Letters of any of these images.
    public var images: Set<ImageID>?
    /// Letters that died before this time. A letter without a time of death is neither older nor newer than anything.
    public var before: Date?
    /// Letters that died after this time.
    public var after: Date?

    package init(
        reasons: Set<String>? = nil, images: Set<ImageID>? = nil, before: Date? = nil, after: Date? = nil
    ) {
        self.reasons = reasons
        self.images = images
        self.before = before
        self.after = after
    }

    /// Whether a letter meets all criteria.
    public func matches(_ letter: DeadMessage) -> Bool {
        if let reasons, !reasons.contains(letter.reason) { return false }
        if let images, letter.imageID.map(images.contains) != true { return false }
        guard before != nil || after != nil else { return true }
        guard let deadSince = letter.deadSince else { return false }
        return before.map { deadSince < $0 } ?? true && after.map { deadSince > $0 } ?? true
    }
}
