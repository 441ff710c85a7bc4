import Glibc
import Model

/// The folder in which relative paths begin.
enum WorkingDirectory {
    /// - Throws: `CommandFailure` if it was removed, or if its name is not text.
    static func path() throws(CommandFailure) -> String {
        guard let start = getcwd(nil, 0) else {
            let cause = String(cString: strerror(errno))
            throw .unusable("the working directory is gone (\(cause)): it was removed; change to an existing one")
        }
        defer { free(start) }
        guard let path = String(validatingCString: start) else {
            throw .unusable(
                "the working directory \(UncheckedName(start).shown): its name is not UTF-8, which the tables require; rename it"
            )
        }
        return path
    }
}
