import Pictures
import Pipeline

extension HTTPClient: PictureFetcher {
    private static let pictureTimeout = Duration.seconds(30)
    private static let pictureRedirections = 5

    /// The bytes behind an http or https URL that the policy allows, at most 64 MiB, within 30 s, over at most five
    /// redirections, from https to https only. What the host has packed is unpacked, and then at most 64 MiB, too.
    /// - Throws: `PictureFault`, `tooLarge` or `image`, whose message shows the URL without password and query.
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
                absence: error.absence(of: source(of: url)))
        }
        guard (200..<300).contains(response.status) else {
            let absence = PictureAbsence(source: source(of: url), isOfSource: false, retryAfter: response.retryAfter)
            throw PictureFault(
                .image, "\(shown) answered \(response.status)", absence: response.mayPass ? absence : nil)
        }
        return response.body
    }

    /// Some hosts name an encoding that is none, or that they did not apply: then what came is taken as it is. Its bytes tell
    /// whether it is a picture.
    private func performAsPacked(_ request: HTTPRequest) async throws(HTTPFault) -> HTTPResponse {
        do {
            return try await perform(request)
        } catch {
            guard error.kind == .encoding else { throw error }
            var plain = request
            plain.unpacks = false
            let response = try await perform(plain)
            // A gzip that is broken is no picture.
            guard !response.body.starts(with: [0x1F, 0x8B]) else { throw error }
            return response
        }
    }

    /// Scheme, host and port: `http://nas:8080`.
    public func source(of url: String) -> String { "\(URLText.scheme(of: url) ?? "http")://\(URLText.place(of: url))" }

    /// Asks for the host's front page: any answer below 500 is one.
    public func answers(_ source: String) async -> Bool {
        let request = HTTPRequest(url: source + "/", timeout: .seconds(10), bodyLimit: 1 << 20)
        do { return try await perform(request).status < 500 } catch { return error.status.map { $0 < 500 } ?? false }
    }
}

extension HTTPFault {
    /// What may pass of the fault of a fetch.
    fileprivate func absence(of source: String) -> PictureAbsence? {
        switch kind {
        case .unreachable: PictureAbsence(source: source, isOfSource: true)
        case .timeout, .broken, .encoding: PictureAbsence(source: source, isOfSource: false)
        case .tooLarge, .unreadableFile, .malformed, .denied, .cancelled, .other: nil
        }
    }
}
