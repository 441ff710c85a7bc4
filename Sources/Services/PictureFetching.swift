import Pictures
import Pipeline

extension HTTPClient: PictureFetcher {
    private static let pictureTimeout = Duration.seconds(30)
    private static let pictureRedirections = 5

    /// The bytes at an http or https URL that the policy allows: at most 64 MiB, within 30 s, over at most five
    /// redirections, from https only to https. If the host has packed them, they are unpacked, and then at most 64 MiB,
    /// too.
    /// - Throws: `PictureFault`, `tooLarge` or `image`. Its message shows the URL without password and query.
    public func fetch(_ url: String) async throws(PictureFault) -> [UInt8] {
        let shown = URLText.shown(url)
        if let reason = PictureURL.refusal(of: url, by: policy) {
            throw PictureFault(.image, "\(shown) is not fetched: \(reason)")
        }
        let request = HTTPRequest(
            url: URLText.sendable(url), timeout: HTTPClient.pictureTimeout, bodyLimit: PictureLimits.bytes,
            redirections: HTTPClient.pictureRedirections, unpacks: true)
        let response: HTTPResponse
        do {
            response = try await performAsPacked(request)
        } catch {
            throw PictureFault(
                error.kind == .tooLarge ? .tooLarge : .image, "\(shown) was not fetched: \(error.cause)",
                outline: PictureFault.notFetched,
                absence: error.absence(of: source(of: url)))
        }
        guard (200..<300).contains(response.status) else {
            let absence = PictureAbsence(source: source(of: url), isOfSource: false, retryAfter: response.retryAfter)
            throw PictureFault(
                .image, "\(shown) answered \(response.status)", outline: PictureFault.notFetched,
                absence: response.mayPass ? absence : nil)
        }
        return response.body
    }

    /// Some hosts name an encoding that does not exist, or that they did not apply. Then the answer is used as it is,
    /// and its bytes show whether it is a picture.
    private func performAsPacked(_ request: HTTPRequest) async throws(HTTPFault) -> HTTPResponse {
        do {
            return try await perform(request)
        } catch {
            guard error.kind == .encoding else { throw error }
            var plain = request
            plain.unpacks = false
            let response = try await perform(plain)
            // A broken gzip file is not a picture.
            guard !response.body.starts(with: [0x1F, 0x8B]) else { throw error }
            return response
        }
    }

    /// The scheme, host and port: `http://nas:8080`.
    public func source(of url: String) -> String { "\(URLText.scheme(of: url) ?? "http")://\(URLText.place(of: url))" }

    /// Asks for the host's front page. Any status below 500 counts as an answer.
    public func answers(_ source: String) async -> Bool {
        let request = HTTPRequest(url: source + "/", timeout: .seconds(10), bodyLimit: 1 << 20)
        do { return try await perform(request).status < 500 } catch { return error.status.map { $0 < 500 } ?? false }
    }
}

extension HTTPFault {
    /// The absence, if a fault of fetching may pass.
    fileprivate func absence(of source: String) -> PictureAbsence? {
        switch kind {
        case .unreachable: PictureAbsence(source: source, isOfSource: true)
        case .timeout, .broken, .encoding: PictureAbsence(source: source, isOfSource: false)
        case .tooLarge, .unreadableFile, .malformed, .denied, .cancelled, .other: nil
        }
    }
}
