import Foundation

/// What a path leads to, whatever it is called on the way.
struct FileIdentity: Hashable {
    let isRegular: Bool
    private let device: UInt
    private let number: UInt

    /// nil for what is gone.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, number) = (UInt(status.st_dev), UInt(status.st_ino))
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }
}
