import Foundation
import Model

/// Identifies the file at a path, whichever path leads to it.
package struct FileIdentity: Hashable {
    package let isRegular: Bool
    private let device: UInt
    private let number: UInt

    /// nil if there is no file.
    package init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, number) = (UInt(status.st_dev), UInt(status.st_ino))
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }

    /// The path without links. The file may be missing, but its folder must exist; otherwise nil.
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
