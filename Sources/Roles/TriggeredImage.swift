import Model

/// An image about which there is news.
public struct TriggeredImage: Sendable {
    /// The row of `images`.
    public var image: Image
    /// The services and roles whose news it is. Empty if nobody knows.
    package internal(set) var sources: Set<String>

    package init(_ image: Image, sources: Set<String> = []) { (self.image, self.sources) = (image, sources) }
}
