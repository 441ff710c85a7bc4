import Glibc

extension SQLiteFile {
    /// Which file a path leads to, whatever its name.
    struct Identity: Equatable, Sendable {
        private let device: dev_t
        private let number: ino_t

        /// nil: no file is there, or none can be looked at.
        init?(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            (device, number) = (status.st_dev, status.st_ino)
        }
    }
}
