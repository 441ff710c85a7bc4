import Foundation
import Model

/// What a path leads to, whatever it is called on the way.
package struct FileIdentity: Hashable {
    package let isRegular: Bool
    private let device: UInt
    private let number: UInt

    /// nil for what is gone.
    package init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, number) = (UInt(status.st_dev), UInt(status.st_ino))
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }

    /// The path without links, of a file that may be missing in a folder that is there; nil where there is none.
    package static func realPath(of path: String) -> String? {
        if let whole = resolved(path) { return whole }
        let folder = PathText.folder(of: PathText.absolute(path))
        return resolved(folder).map { PathText.join($0, PathText.lastComponent(of: path)) }
    }

    private static func resolved(_ path: String) -> String? {
        guard let start = realpath(path, nil) else { return nil }
        defer { free(start) }
        return String(validatingCString: start)
    }
}
