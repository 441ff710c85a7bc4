import Foundation
import Model
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
