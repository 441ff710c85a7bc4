import Foundation

/// The names under which a picture may be known wherever it was moved to: its file name, and the last parts of its path
/// and URL.
struct PictureNames {
    private(set) var all: Set<String> = []

    init(filename: String?, path: String?, url: String?) {
        add(filename)
        add(path)
        add(url?.split(separator: "?", omittingEmptySubsequences: false).first.map(String.init))
    }

    private mutating func add(_ text: String?) {
        guard let name = text?.split(separator: "/").last.map(String.init) else { return }
        all.insert(name)
        all.insert(name.removingPercentEncoding ?? name)
    }
}
