import Foundation

/// A look at a file before curl streams it: curl itself would notice only while it sends.
enum LocalFile {
    /// Why a file cannot be sent.
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    /// Opens without waiting, so that a pipe in a picture's place cannot block.
    static func firstBytes(of path: String, count: Int) -> Result<[UInt8], Fault> {
        guard !path.utf8.contains(0) else { return .failure(Fault(description: "\(path): not a path")) }
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return .failure(fault(path)) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { return .failure(fault(path)) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failure(Fault(description: "\(path): not a file")) }
        var first = [UInt8](repeating: 0, count: count)
        let length = read(file, &first, count)
        return length >= 0 ? .success(Array(first.prefix(length))) : .failure(fault(path))
    }

    private static func fault(_ path: String) -> Fault {
        Fault(description: "\(path): \(Wording.systemError(errno))")
    }
}
