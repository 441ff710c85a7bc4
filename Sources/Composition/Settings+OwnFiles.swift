import Operations
import Settings

extension Settings {
    /// The files that farm itself reads and writes.
    package var ownFiles: [OwnFile] {
        let database = ["", "-wal", "-shm", "-journal"].map {
            OwnFile(path: embeddedPath + $0, what: "farm's database (FARM_DB)")
        }
        let files = [
            (environmentFile ?? ".env", "the file of settings"), (services.path, "the service configuration"),
            (log.file, "the log (LOG_FILE)"),
        ]
        return database + files.compactMap { path, what in path.map { OwnFile(path: $0, what: what) } }
    }
}
