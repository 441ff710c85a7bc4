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

/// What became of the images of one `ImageCatalogue.add`.
public struct ImportAnswer: Sendable, Equatable {
    /// How many there were of each kind.
    public var counts = ImportCounts()
    /// In the order of the images.
    public var ids: [ImageID] = []
    /// Images that were there already, with another path or URL.
    public var differences: [ImageDifference] = []

    package init() {}
}

/// An image that is there already, with another path or URL than an import names.
public struct ImageDifference: Sendable, Equatable {
    /// As it was.
    public var stored: Image
    /// As the import has it, and `update` writes it.
    public var written: Image

    /// nil if the import names nothing else. What it does not name stays.
    package init?(_ stored: Image, _ image: NewImage) {
        let path = image.path ?? stored.path
        let url = image.url ?? stored.url
        guard path != stored.path || url != stored.url else { return nil }
        self.stored = stored
        written = stored
        written.path = path
        written.url = url
        // The name goes with the path.
        if path != stored.path, let filename = image.filename { written.filename = filename }
    }
}

extension ImageCatalogue {
    /// Adds those that are not there; paths and URLs that differ stay as they are.
    public func add(_ images: [NewImage], move: Bool) async throws -> ImportAnswer {
        try await add(images, move: move, update: false)
    }
}
