import Foundation

/// Where the programs are that are measured.
enum Programs {
    /// The root of the package.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static var farm: String { beside("farm") }

    /// One that the same build made.
    static func beside(_ name: String) -> String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: name).path
    }

    /// The tests' Python environment, which `make setup` makes.
    static let python = root.appending(path: ".build-python/bin/python3").path

    /// The number that a helper printed last.
    /// - Throws: `BenchFault`.
    static func number(_ output: String) throws -> Double {
        guard let word = output.split(whereSeparator: \.isWhitespace).last, let number = Double(word) else {
            throw BenchFault("no number: \(output)")
        }
        return number
    }
}

/// A folder that is removed with the value.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "farm-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }
}
