import Pipeline

extension HTTPClient: PictureFetcher {
    private static let pictureTimeout = Duration.seconds(30)
    private static let pictureRedirections = 5

    /// The bytes behind an http or https URL that the policy allows, at most 64 MiB, within 30 s, over at most five
    /// redirections, from https to https only.
    /// - Throws: `PictureFault`, `tooLarge` or `image`, whose message shows the URL without password and query.
    public func fetch(_ url: String) async throws(PictureFault) -> [UInt8] {
        let shown = URLText.shown(url)
        if let reason = PictureURL.refusal(of: url, by: policy) {
            throw PictureFault(.image, "\(shown) is not fetched: \(reason)")
        }
        let request = HTTPRequest(
            url: URLText.sendable(url), timeout: HTTPClient.pictureTimeout, bodyLimit: PictureLimits.bytes,
            redirections: HTTPClient.pictureRedirections)
        let response: HTTPResponse
        do {
            response = try await perform(request)
        } catch {
            throw PictureFault(error.kind == .tooLarge ? .tooLarge : .image, "\(shown) was not fetched: \(error.cause)")
        }
        guard (200..<300).contains(response.status) else {
            throw PictureFault(.image, "\(shown) answered \(response.status)")
        }
        return response.body
    }
}
