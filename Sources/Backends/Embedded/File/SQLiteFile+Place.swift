import Foundation
import Glibc
import Model
import Pipeline

extension SQLiteFile {
    /// Creates a missing file that only its owner may use. SQLite would leave that to the umask. The files that SQLite
    /// puts beside it get the same mode.
    static func make(_ path: String, place: String) throws(PortFault) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor < 0 else {
            Glibc.close(descriptor)
            return
        }
        guard errno == EEXIST else {
            throw PortFault(.unusable, place: place, message: "cannot be made: \(String(cString: strerror(errno)))")
        }
    }

    /// Says clearly what SQLite would only call "unable to open database file".
    static func checkPlace(_ path: String, place: String) throws(PortFault) {
        let folder = PathText.folder(of: PathText.absolute(path))
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw PortFault(
                .unusable, place: place,
                message: "the folder \(folder) does not exist: make it, or set FARM_DB to another file")
        }
        guard access(folder, W_OK) == 0 else {
            throw PortFault(
                .unusable, place: place,
                message:
                    "the folder \(folder) cannot be written: let this user write there (SQLite keeps two files beside "
                    + "the database), or set FARM_DB to another file")
        }
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        guard !isFolder.boolValue else {
            throw PortFault(
                .unusable, place: place, message: "is a folder: set FARM_DB to a file, for instance \(path)/farm.db")
        }
        guard access(path, R_OK | W_OK) == 0 else {
            throw PortFault(
                .unusable, place: place, message: "cannot be read and written by this user: change its owner or mode")
        }
    }

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
