import Foundation
import Model

/// An entry of a folder whose name is not UTF-8. It cannot be imported, since the tables hold names as UTF-8.
struct UnnamedEntry: Sendable {
    private static let headSize = 4096

    /// Its path, for people.
    let place: String
    let isFolder: Bool
    /// Its first bytes. nil if it cannot be read.
    let head: [UInt8]?

    init(_ name: UncheckedName, in folder: String) {
        place = PathText.join(folder, name.shown)
        let path = (Array(PathText.join(folder, "").utf8) + name.bytes + [0]).map { CChar(bitPattern: $0) }
        var status = stat()
        isFolder = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        head = isFolder ? nil : UnnamedEntry.head(of: path)
    }

    private static func head(of path: [CChar]) -> [UInt8]? {
        // Without O_NONBLOCK, opening a FIFO would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes = [UInt8](repeating: 0, count: headSize)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return count < 0 ? nil : Array(bytes.prefix(count))
    }
}
