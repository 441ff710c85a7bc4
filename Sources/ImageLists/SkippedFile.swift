/// A file or line that is not imported, and why.
package struct SkippedFile: Sendable, Equatable {
    /// The kind of reason.
    package enum Kind: Sendable, CaseIterable {
        /// A file in a folder that is not an image.
        case noImage
        /// A picture in a folder that farm itself has drawn.
        case drawn
        /// A camera raw file in a folder.
        case cameraRaw
        /// An entry of a folder that nobody wants, or that `--exclude` names.
        case leftOut
        /// A damaged picture, a named file that is not an image, or a line that is no record. This is a fault.
        case refused
        /// A named file or folder that does not exist. This is a fault, too.
        case missing

        /// Whether something is wrong with it.
        package var isFault: Bool { self == .refused || self == .missing }
    }

    /// The path as it was named. For a line of a list, `list.csv:3`.
    package var place: String
    /// One line for people, without the place.
    package var reason: String
    package var kind: Kind
    /// What strangers are told in place of the reason, where that tells of the bytes.
    package var outline: String?

    package init(place: String, reason: String, kind: Kind = .refused, outline: String? = nil) {
        self.place = place
        self.reason = reason
        self.outline = outline
        self.kind = kind
    }
}
