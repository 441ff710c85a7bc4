/// The key of a row of `images`.
public typealias ImageID = Int

/// A row of `images`: where a picture is to be had, and the group it was imported into.
public struct Image: Sendable, Equatable {
    /// `image_id`.
    public var id: ImageID
    /// The file name, for people.
    public var filename: String?
    /// Absolute path of a file that this box may or may not be able to read.
    public var path: String?
    /// Where it is fetched from.
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

/// An image that is not in the catalogue yet.
public struct NewImage: Sendable, Equatable {
    /// The file name, for people.
    public var filename: String?
    /// Absolute path of the file.
    public var path: String?
    /// Where it is fetched from.
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
