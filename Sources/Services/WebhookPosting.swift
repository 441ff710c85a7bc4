import CCurl
import Pipeline

extension HTTPClient: WebhookPoster {
    private static let webhookTimeout = Duration.seconds(15)
    /// Nobody reads what a receiver answers.
    private static let webhookBodyLimit = 64 << 10

    /// The rules for pictures, and no user and password. libcurl, which will send to it, must be able to read it.
    public func refusal(of url: String) -> String? {
        if let reason = PictureURL.refusal(of: url, by: policy) { return reason }
        guard URLText.authority(of: url)?.contains(UInt8(ascii: "@")) == false else {
            return "it names a user or a password"
        }
        return HTTPClient.isWellFormed(URLText.sendable(url)) ? nil : "it cannot be read"
    }

    /// `host:port`.
    public func place(of url: String) -> String { URLText.place(of: url) }

    /// Posts JSON. The answer must come within 15 s.
    public func post(
        _ body: [UInt8], to url: String, headers: [(name: String, value: String)]
    ) async -> WebhookAnswer {
        if let reason = refusal(of: url) { return .refused("nothing is posted to \(place(of: url)): \(reason)") }
        var request = HTTPRequest(
            url: URLText.sendable(url), content: .json(body), timeout: HTTPClient.webhookTimeout,
            bodyLimit: HTTPClient.webhookBodyLimit)
        request.headers = headers
        do {
            let response = try await perform(request)
            return .answered(status: response.status, retryAfter: response.retryAfter)
        } catch {
            switch error.kind {
            case .tooLarge: return .answered(status: error.status ?? 0, retryAfter: nil)
            case .denied, .malformed: return .refused(error.description)
            case .cancelled: return .cancelled
            case .unreachable, .timeout, .broken, .encoding, .unreadableFile, .other: return .failed(error.description)
            }
        }
    }

    private static func isWellFormed(_ url: String) -> Bool {
        guard let handle = curl_url() else { return false }
        defer { curl_url_cleanup(handle) }
        return curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK
    }
}
