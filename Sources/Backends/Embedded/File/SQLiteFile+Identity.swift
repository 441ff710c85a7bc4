import Glibc

extension SQLiteFile {
    /// Identifies the file at a path, whatever its name.
    struct Identity: Equatable, Sendable {
        private let device: dev_t
        private let number: ino_t

        /// nil if there is no file, or if it cannot be looked at.
        init?(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            (device, number) = (status.st_dev, status.st_ino)
        }
    }
}
