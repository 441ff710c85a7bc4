import Glibc
import Model

/// Where relative paths begin.
enum WorkingDirectory {
    /// - Throws: `CommandFailure` where it was removed, or its name is no text.
    static func path() throws(CommandFailure) -> String {
        guard let start = getcwd(nil, 0) else {
            let cause = String(cString: strerror(errno))
            throw .unusable("the working directory is gone (\(cause)): it was removed; change to one that is there")
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
