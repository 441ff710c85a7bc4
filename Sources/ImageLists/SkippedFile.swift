/// What is not imported, and why.
package struct SkippedFile: Sendable, Equatable {
    /// What sort of reason it is.
    package enum Kind: Sendable, CaseIterable {
        /// A file in a folder that is no image.
        case noImage
        /// In a folder, a picture that farm itself has drawn.
        case drawn
        /// In a folder, what a camera's sensor saw.
        case cameraRaw
        /// An entry of a folder that nobody wants, or that `--exclude` names.
        case leftOut
        /// A damaged picture, a named file that is none, a line that is no record: a fault.
        case refused
        /// What was named is not there: a fault, too.
        case missing

        /// Something is wrong with it.
        package var isFault: Bool { self == .refused || self == .missing }
    }

    /// As it was named; of a line of a list `list.csv:3`.
    package var place: String
    /// One line for people, without the place.
    package var reason: String
    package var kind: Kind

    package init(place: String, reason: String, kind: Kind = .refused) {
        self.place = place
        self.reason = reason
        self.kind = kind
    }
}
