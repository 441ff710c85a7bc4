import Model

/// What an import did.
public struct ImportCounts: Sendable, Equatable {
    /// Images that were new.
    public var added = 0
    /// Images that were there already.
    public var existing = 0
    /// Existing images that were put into another group.
    public var moved = 0

    package init(added: Int = 0, existing: Int = 0, moved: Int = 0) {
        self.added = added
        self.existing = existing
        self.moved = moved
    }

    /// Adds the counts of two imports.
    public static func += (left: inout ImportCounts, right: ImportCounts) {
        left.added += right.added
        left.existing += right.existing
        left.moved += right.moved
    }
}

/// What happened to the images of one `ImageCatalogue.add`.
public struct ImportAnswer: Sendable, Equatable {
    /// How many images of each kind there were.
    public var counts = ImportCounts()
    /// The ids, in the order of the images.
    public var ids: [ImageID] = []
    /// Images that were there already, with another path or URL.
    public var differences: [ImageDifference] = []

    package init() {}
}

/// An image that is there already, with another path or URL than an import names.
public struct ImageDifference: Sendable, Equatable {
    /// The image as it was.
    public var stored: Image
    /// The image as the import names it and as `update` writes it.
    public var written: Image

    /// nil if the import names nothing else. A path or URL that it does not name stays.
    package init?(_ stored: Image, _ image: NewImage) {
        let path = image.path ?? stored.path
        let url = image.url ?? stored.url
        guard path != stored.path || url != stored.url else { return nil }
        self.stored = stored
        written = stored
        written.path = path
        written.url = url
        // The name changes with the path.
        if path != stored.path, let filename = image.filename { written.filename = filename }
    }
}

extension ImageCatalogue {
    /// Adds the images that are not there. Paths and URLs that differ stay as they are.
    public func add(_ images: [NewImage], move: Bool) async throws -> ImportAnswer {
        try await add(images, move: move, update: false)
    }
}
