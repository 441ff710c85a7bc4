import GRDB
import Glibc
import Pipeline

extension PortFault {
    /// What an SQLite error means for the caller, and how to mend it.
    init(_ error: any Error, place: String) {
        guard let error = error as? DatabaseError else {
            self.init(.unusable, place: place, message: "\(error)")
            return
        }
        let detail = "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
        func fault(_ kind: Kind, _ message: String) -> PortFault {
            PortFault(kind, place: place, message: "\(message) (\(detail))")
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            let seconds = Int(SQLiteFile.busyTimeout)
            self = fault(
                .transient,
                "locked by another program for over \(seconds) s: end the tool that keeps a transaction open")
        case .SQLITE_FULL: self = fault(.transient, "the disk is full: make room on it")
        // The index of the log is created when the first process opens the file.
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            self = fault(.transient, "the disk is full: make room on it")
        case .SQLITE_IOERR: self = fault(.transient, "the disk does not read or write: look at the kernel's log")
        case .SQLITE_NOMEM: self = fault(.transient, "no memory left")
        case .SQLITE_INTERRUPT, .SQLITE_ABORT: self = fault(.transient, "interrupted")
        case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH, .SQLITE_RANGE:
            self = fault(.refused, "these values are refused")
        case .SQLITE_NOTADB:
            self = fault(
                .unusable, "is not an SQLite database: set FARM_DB to another file, or move this one out of the way")
        case .SQLITE_CORRUPT:
            self = fault(
                .unusable,
                "is damaged: stop every farm, keep a copy, and try `sqlite3 \(place) .recover | sqlite3 mended.db`")
        case .SQLITE_READONLY:
            self = fault(
                .unusable, "is read-only, or was moved while it was open: check the file, its folder and the mount")
        case .SQLITE_CANTOPEN where PortFault.hasNoDescriptor:
            self = fault(
                .transient, "cannot be opened: too many files are open: raise the limit (ulimit -n, LimitNOFILE)")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            self = fault(.unusable, "cannot be opened: this user must be able to write the file and its folder")
        case .SQLITE_MISUSE: self = fault(.unusable, "is closed")
        default: self = fault(.unusable, "does not have what farm needs: `farm init` brings its tables up to date")
        }
    }

    /// SQLite does not say why a file could not be opened.
    private static var hasNoDescriptor: Bool {
        let descriptor = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return false
        }
        return errno == EMFILE || errno == ENFILE
    }
}
