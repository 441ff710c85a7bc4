import Model

/// Where the web keeps the photos that it has made smaller: WEB_CACHE_DIR and WEB_CACHE_SIZE.
public struct WebCacheSettings: Sendable, Equatable {
    /// The folder, absolute; made at first use.
    public var folder: String
    /// Bytes.
    public var limit: Int

    /// nil: nothing is kept.
    init?(_ variables: Variables) {
        let size = variables.integer(.webCacheSize, in: 0...10_000_000) ?? 1024
        guard size > 0 else { return nil }
        folder = PathText.absolute(
            SmallFile.resolve(variables.text(.webCacheFolder) ?? ".farm-cache", in: variables.workingDirectory))
        limit = size << 20
    }
}
