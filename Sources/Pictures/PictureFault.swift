import Model

/// Why a picture is not used: `image` (missing, unreadable, damaged) or `too_large`.
public struct PictureFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure.
    public var kind: FailureKind
    /// One line for people, with the place and the cause; never a secret.
    public var message: String
    /// What strangers are told in place of the message, where that tells of the bytes or of how a host was reached.
    /// nil where the message tells of neither.
    public var outline: String?
    /// Whether the file is no image by its bytes, or has no bytes. In a folder of pictures there is nothing wrong with
    /// that.
    public var isOfNoImage: Bool
    /// The kind of camera raw, such as `DNG`. nil if it is none. A camera raw file counts as no image.
    public var cameraRaw: String?
    /// Set if the fault may pass by itself. nil if another try would end the same way.
    public var absence: PictureAbsence?

    /// The outline where a picture was to be fetched: whether a host answers, and what, is not told apart.
    package static let notFetched = "it was not fetched, or is no image"

    package init(
        _ kind: FailureKind, _ message: String, outline: String? = nil, isOfNoImage: Bool = false,
        cameraRaw: String? = nil, absence: PictureAbsence? = nil
    ) {
        self.kind = kind
        self.message = message
        self.outline = outline
        self.isOfNoImage = isOfNoImage
        self.cameraRaw = cameraRaw
        self.absence = absence
    }

    /// One line for people.
    public var description: String { message }

    /// One line for whoever may see the picture, but not the file or the host that it comes from: what the web answers.
    public var toldToStrangers: String { outline ?? message }
}
