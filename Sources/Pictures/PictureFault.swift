import Model

/// Why a picture is not used: `image` (missing, unreadable, damaged) or `too_large`.
public struct PictureFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// What sort of failure it is.
    public var kind: FailureKind
    /// One line for people, with the place and the cause; never a secret.
    public var message: String
    /// By its bytes it is none, or it has none: in a folder of pictures nothing is wrong with that.
    public var isOfNoImage: Bool
    /// What kind of camera raw it is, such as `DNG`; nil where it is none. Such a file counts as no image.
    public var cameraRaw: String?
    /// What may pass by itself; nil where another try would end the same way.
    public var absence: PictureAbsence?

    package init(
        _ kind: FailureKind, _ message: String, isOfNoImage: Bool = false, cameraRaw: String? = nil,
        absence: PictureAbsence? = nil
    ) {
        self.kind = kind
        self.message = message
        self.isOfNoImage = isOfNoImage
        self.cameraRaw = cameraRaw
        self.absence = absence
    }

    /// One line for people.
    public var description: String { message }
}
