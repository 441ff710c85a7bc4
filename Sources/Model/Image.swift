/// The key of a row of `images`.
public typealias ImageID = Int

/// A row of `images`: where the picture is, and the group into which it was imported.
public struct Image: Sendable, Equatable {
    /// `image_id`.
    public var id: ImageID
    /// The file name, for people.
    public var filename: String?
    /// The absolute path of a file. This machine may or may not be able to read it.
    public var path: String?
    /// The URL from which it is fetched.
    public var url: String?
    /// `images.image_group`, farm's own column.
    public var group: String?

    package init(id: ImageID, filename: String? = nil, path: String? = nil, url: String? = nil, group: String? = nil) {
        self.id = id
        self.filename = filename
        self.path = path
        self.url = url
        self.group = group
    }
}

/// An image that is about to be added to the catalogue.
public struct NewImage: Sendable, Equatable {
    /// The file name, for people.
    public var filename: String?
    /// The absolute path of the file.
    public var path: String?
    /// The URL from which it is fetched.
    public var url: String?
    /// The group it belongs to.
    public var group: String?

    package init(filename: String? = nil, path: String? = nil, url: String? = nil, group: String? = nil) {
        self.filename = filename
        self.path = path
        self.url = url
        self.group = group
    }
}
