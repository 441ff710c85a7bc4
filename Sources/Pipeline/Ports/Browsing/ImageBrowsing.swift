import Model

/// Images as people look through them; may be read from a replica. All throw `PortFault`.
///
/// Filters look images up in an index, which an `ImageIndexing` keeps beside the tables. What is shown of an image comes from
/// its rows.
public protocol ImageBrowsing: Sendable {
    /// A page of the images that match.
    /// - Parameters:
    ///   - cursor: nil: the list's beginning.
    ///   - limit: of images.
    ///   - bound: of rows that are looked at: what a search costs at most, however few images match.
    func page(
        _ query: ImageQuery, _ order: ImageOrder, at cursor: ImageCursor?, limit: Int, scanning bound: Int
    ) async throws -> ImagePage

    /// The images beside this one among those that match; it need not match itself.
    func neighbours(
        of image: ImageID, _ query: ImageQuery, _ order: ImageOrder, scanning bound: Int
    ) async throws -> ImageNeighbours

    /// All rows of `results` of an image, the newest first, without their data.
    func history(of image: ImageID, limit: Int) async throws -> [ResultSummary]

    /// A row of `results` of this image; nil if it has no such row.
    func result(_ resultID: Int, of image: ImageID) async throws -> StoredResult?

    /// The newest rows of each image and service, at most `perService`, the newest first. Their data holds only `predictions` and
    /// `error`.
    func recentResults(of images: [ImageID], perService: Int) async throws -> [ImageID: [StoredResult]]

    /// Images of the newest rows of `results`, at most `limit`, the newest first.
    func recentlyAnswered(limit: Int) async throws -> [ImageID]

    /// Groups of images, sorted, at most `limit`.
    func groups(limit: Int) async throws -> [String]

    /// Labels of fused boxes that begin with a text, sorted, at most `limit`. A label stays known when no box has it any more.
    func labels(beginning text: String, limit: Int) async throws -> [String]

    /// How far the index lags behind.
    func indexLag() async throws -> IndexLag
}

/// Bounds of searches.
public enum ImageSearch {
    /// Rows that a search looks at, unless it is told otherwise.
    public static let bound = 50_000
    /// Rows of `results` that are looked at for each image that was recently answered.
    public static let rowsPerImage = 20
    /// Images on a page, at most.
    public static let pageLimit = 500
}

extension ImageBrowsing {
    /// A page of the images that match.
    public func page(
        _ query: ImageQuery, _ order: ImageOrder = .newestFirst, at cursor: ImageCursor? = nil, limit: Int
    ) async throws -> ImagePage {
        try await page(query, order, at: cursor, limit: limit, scanning: ImageSearch.bound)
    }

    /// The images beside this one among those that match.
    public func neighbours(
        of image: ImageID, _ query: ImageQuery, _ order: ImageOrder = .newestFirst
    ) async throws -> ImageNeighbours {
        try await neighbours(of: image, query, order, scanning: ImageSearch.bound)
    }
}
