/// Where images may come from (docs/security.md).
public struct ImagePolicy: Sendable, Equatable {
    /// IMAGE_ROOT, absolute: the folder that image files must be in after links are followed. nil for anywhere.
    public var root: String?
    /// DENY_PRIVATE_IMAGE_URLS: whether images from loopback, link-local, private and other special addresses are
    /// refused.
    public var deniesPrivateURLs: Bool

    /// Everything is allowed by default.
    public init(root: String? = nil, deniesPrivateURLs: Bool = false) {
        self.root = root
        self.deniesPrivateURLs = deniesPrivateURLs
    }
}
