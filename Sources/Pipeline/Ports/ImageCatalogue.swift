import Model

/// What an import did.
public struct ImportCounts: Sendable, Equatable {
    /// Not there before.
    public var added = 0
    /// There already.
    public var existing = 0
    /// Of those, put into another group.
    public var moved = 0

    package init(added: Int = 0, existing: Int = 0, moved: Int = 0) {
        self.added = added
        self.existing = existing
        self.moved = moved
    }

    /// Adds the counts up.
    public static func += (left: inout ImportCounts, right: ImportCounts) {
        left.added += right.added
        left.existing += right.existing
        left.moved += right.moved
    }
}

/// Which images a command is about.
public struct ImageFilter: Sendable, Equatable {
    /// nil: of every group and of none.
    public var group: String?
    /// Only these, if given.
    public var ids: [ImageID]?
    /// Only images that lack a successful result of one of these services.
    public var lacking: [String]?

    package init(group: String? = nil, ids: [ImageID]? = nil, lacking: [String]? = nil) {
        self.group = group
        self.ids = ids
        self.lacking = lacking
    }
}

/// An image, and the services of `ImageFilter.lacking` that it lacks.
public struct ListedImage: Sendable, Equatable {
    /// The row of `images`.
    public var image: Image
    /// In the order of the filter.
    public var lacking: [String]

    package init(image: Image, lacking: [String] = []) {
        self.image = image
        self.lacking = lacking
    }
}

/// The images. All throw `PortFault`.
public protocol ImageCatalogue: Sendable {
    /// Adds those that are not there; an image is known by its path, else its URL, else its filename.
    /// - Parameter move: puts those that are there into the named group.
    /// - Returns: the counts, and the ids in the order of `images`.
    func add(_ images: [NewImage], move: Bool) async throws -> (counts: ImportCounts, ids: [ImageID])

    /// Gives a group to all rows that have none.
    /// - Returns: how many had none.
    func assignGroup(_ group: String) async throws -> Int

    /// The next images by ascending id.
    func images(_ filter: ImageFilter, after: ImageID, limit: Int) async throws -> [ListedImage]

    func count(_ filter: ImageFilter) async throws -> Int

    /// The largest id; 0 if there is no image.
    func newestID() async throws -> ImageID

    /// Images by id (digits), absolute path, URL or filename: all that match.
    func find(_ text: String) async throws -> [Image]
}
