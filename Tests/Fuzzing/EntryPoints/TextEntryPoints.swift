import CCurl
import Foundation
import Model
import Pictures
import Pipeline

@testable import Services

extension EntryPoint {
    /// The URL of an image.
    static let url = EntryPoint(name: "url", longest: 2048) { input in
        let url = String(decoding: input, as: UTF8.self)
        try promise(URLText.shown(url).isPlain, "shown as \(URLText.shown(url))")
        try promise(URLText.place(of: url).isPlain, "placed at \(URLText.place(of: url))")
        let component = URLText.encodedComponent(url)
        try promise(component.removingPercentEncoding == url, "\(url) becomes \(component)")
        let sent = URLText.sendable(url)
        try promise(URLText.sendable(sent) == sent, "\(sent) is encoded twice")
        let denied = ImagePolicy(deniesPrivateURLs: true)
        guard PictureURL.refusal(of: url, by: denied) == nil, let host = curlHost(of: sent) else { return }
        let refusal = PictureURL.refusal(of: "http://\(host)/", by: denied)
        try promise(refusal == nil, "curl goes to \(host) for \(sent)")
    }

    /// Where curl would go; nil for what it refuses.
    private static func curlHost(of url: String) -> String? {
        guard let parsed = curl_url() else { return nil }
        defer { curl_url_cleanup(parsed) }
        var host: UnsafeMutablePointer<CChar>?
        guard curl_url_set(parsed, CURLUPART_URL, url, UInt32(CURLU_GUESS_SCHEME)) == CURLUE_OK,
            curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK, let host
        else { return nil }
        defer { curl_free(host) }
        return String(cString: host)
    }

    /// A time, as the rows of other programs have it.
    static let timestamp = EntryPoint(name: "timestamp", longest: 64) { input in
        guard let date = Timestamp.date(String(decoding: input, as: UTF8.self)) else { return }
        let text = Timestamp.iso8601(date)
        // Older dates Foundation takes as Julian.
        guard date > Date(timeIntervalSince1970: -9e9) else { return }
        try promise(Timestamp.date(text).map(Timestamp.iso8601) == text, "\(text) does not stay itself")
    }
}
