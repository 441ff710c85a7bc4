import Foundation
import Model

/// Creates a folder and those above it that are missing.
/// - Throws: `CommandFailure` with the reason of the system.
func makeFolder(_ path: String) throws(CommandFailure) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
    let above = PathText.folder(of: path)
    if !above.isEmpty && above != path { try makeFolder(above) }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    else {
        throw .failed("\(path): the folder cannot be created: \(String(cString: strerror(errno)))")
    }
}
