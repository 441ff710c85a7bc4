import Foundation
import Model

/// A settings file. It is read in full, up to a limit. It may be a pipe, as `--env-file <(…)` makes one.
enum SmallFile {
    /// Why a file cannot be read.
    enum Fault: Error {
        case missing
        case unusable(String)

        /// The words that follow the name of the file in a message.
        var reason: String {
            switch self {
            case .missing: "does not exist"
            case .unusable(let reason): reason
            }
        }
    }

    /// The path, starting from the working directory if it is relative.
    static func resolve(_ path: String, in workingDirectory: String) -> String {
        PathText.isAbsolute(path) ? path : workingDirectory + "/" + path
    }

    /// The bytes of the file. If there are more than `limit`, it is refused.
    static func bytes(of path: String, limit: Int) throws(Fault) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw .missing }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw lastFault() }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw lastFault() }
            if count == 0 { return content }
            content.append(contentsOf: chunk.prefix(count))
            guard content.count <= limit else { throw .unusable("is larger than \(limit / 1024) KiB") }
        }
    }

    private static func lastFault() -> Fault {
        switch errno {
        case ENOENT, ENOTDIR: .missing
        case let code: .unusable("cannot be read: " + String(cString: strerror(code)))
        }
    }
}

extension [UInt8] {
    /// The UTF-8 text without a byte order mark. nil if the bytes are not UTF-8.
    var utf8Text: String? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return String(validating: starts(with: mark) ? self[3...] : self[...], as: UTF8.self)
    }
}
