import Glibc
import Pipeline

/// A regular file, open for reading; its faults leave the path to the caller.
final class PictureFile {
    /// Bytes, as of the opening.
    let size: Int
    private let descriptor: Int32

    /// Throws `image` for what is missing, unreadable, empty or no regular file, `too_large` beyond the limit.
    convenience init(path: String) throws(PictureFault) {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw PictureFault(.image, "not a path") }
        // Without O_NONBLOCK the opening of a FIFO waits for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .reading(errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let cause = errno
            close(descriptor)
            throw .reading(cause)
        }
        self.init(descriptor: descriptor, size: Int(status.st_size))
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .reading(EISDIR) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw PictureFault(.image, "not a regular file") }
        guard size > 0 else { throw PictureFault(.image, "the file is empty") }
        try PictureLimits.check(bytes: size)
    }

    private init(descriptor: Int32, size: Int) {
        self.descriptor = descriptor
        self.size = size
    }

    deinit {
        close(descriptor)
    }

    /// The bytes from `offset`, fewer where the file ends.
    func read(at offset: Int, count: Int) throws(PictureFault) -> [UInt8] {
        var cause: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let got = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
                if got < 0 && errno == EINTR { continue }
                if got < 0 { cause = errno }
                if got <= 0 { return }
                filled += got
            }
        }
        guard cause == 0 else { throw .reading(cause) }
        return bytes
    }

    /// The whole file; a file that has grown since it was opened is a fault.
    func readAll() throws(PictureFault) -> [UInt8] {
        let bytes = try read(at: 0, count: size + 1)
        guard bytes.count <= size else { throw PictureFault(.image, "the file grows while it is read") }
        return bytes
    }
}

extension PictureFault {
    /// What an `errno` of opening or reading says.
    fileprivate static func reading(_ cause: Int32) -> PictureFault {
        PictureFault(.image, "cannot be read: \(String(cString: strerror(cause)))")
    }
}
