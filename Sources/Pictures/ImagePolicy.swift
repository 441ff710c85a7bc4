/// Where images may be taken from (docs/security.md).
public struct ImagePolicy: Sendable, Equatable {
    /// IMAGE_ROOT, absolute: the folder that files of images must lie in, links followed; nil: anywhere.
    public var root: String?
    /// DENY_PRIVATE_IMAGE_URLS: no image is fetched from loopback, link-local, private or other special addresses.
    public var deniesPrivateURLs: Bool

    /// Everything is allowed unless said otherwise.
    public init(root: String? = nil, deniesPrivateURLs: Bool = false) {
        self.root = root
        self.deniesPrivateURLs = deniesPrivateURLs
    }
}
