import Glibc
import Model

/// The regular file of an image, open for reading. Its faults do not name the path; the caller adds it.
public final class ImageFile: Sendable {
    /// The size in bytes when it was opened.
    public let size: Int
    private let descriptor: Int32
    private let path: String

    /// Opens the file. If there is a root, the file that is opened must be below it, whatever links lead to it. What is
    /// checked is what is read, even if somebody moves links meanwhile.
    /// - Parameters:
    ///   - root: the folder that it must be in. nil for anywhere.
    ///   - limit: the largest size in bytes.
    /// - Throws: `image` if it is missing, unreadable, empty, no regular file or outside the root; `too_large` if it
    ///   exceeds the limit.
    public convenience init(
        path: String, root: String? = nil, limit: Int = PictureLimits.bytes
    ) throws(PictureFault) {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw PictureFault(.image, "not a path") }
        let descriptor: Int32
        if let root {
            descriptor = try ImageFile.open(path, below: root)
        } else {
            descriptor = try ImageFile.open(path, named: path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let cause = errno
            close(descriptor)
            throw .reading(path, cause)
        }
        self.init(descriptor: descriptor, path: path, size: Int(status.st_size))
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .reading(path, EISDIR) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw PictureFault(.image, "not a regular file") }
        guard size > 0 else { throw PictureFault(.image, "the file is empty", isOfNoImage: true) }
        guard size <= limit else { throw .tooLarge(bytes: size) }
    }

    private init(descriptor: Int32, path: String, size: Int) {
        self.descriptor = descriptor
        self.path = path
        self.size = size
    }

    deinit {
        close(descriptor)
    }

    /// The bytes from `offset`. There are fewer if the file ends.
    public func read(at offset: Int, count: Int) throws(PictureFault) -> [UInt8] {
        var fault: PictureFault?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(PictureFault) { filled = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer)) } catch
            {
                fault = error
            }
        }
        if let fault { throw fault }
        return bytes
    }

    /// Reads the bytes from `offset`.
    /// - Returns: how many. Fewer than there is room for if the file ends.
    public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(PictureFault) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let got = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
            if got < 0 && errno == EINTR { continue }
            if got < 0 { throw .reading(path, errno) }
            if got == 0 { break }
            filled += got
        }
        return filled
    }

    /// The whole file. It is a fault if the file has grown since it was opened.
    public func readAll() throws(PictureFault) -> [UInt8] {
        let bytes = try read(at: 0, count: size + 1)
        guard bytes.count <= size else { throw changing("grows") }
        return bytes
    }

    /// A fault for a file that somebody is still copying.
    package func changing(_ how: String) -> PictureFault {
        PictureFault(
            .image, "the file \(how) while it is read",
            absence: PictureAbsence(source: PathText.folder(of: PathText.absolute(path)), isOfSource: false))
    }

    // MARK: Opening

    /// Without O_NONBLOCK, opening a FIFO would wait for its writer.
    private static let reading = O_RDONLY | O_CLOEXEC | O_NONBLOCK
    /// O_PATH, which Swift does not import: a descriptor that stands for the file and opens nothing, not even a device.
    private static let pointing: Int32 = 0o10_000_000 | O_CLOEXEC

    /// - Parameter name: the name to show to people.
    private static func open(_ path: String, named name: String, root: String? = nil) throws(PictureFault) -> Int32 {
        let descriptor = Glibc.open(path, reading)
        guard descriptor >= 0 else { throw .reading(name, errno, root: root) }
        return descriptor
    }

    private static func open(_ path: String, below root: String) throws(PictureFault) -> Int32 {
        let handle = Glibc.open(path, pointing)
        guard handle >= 0 else {
            let cause = errno
            // Farm must not even tell whether a file outside is missing.
            guard PathText.absolute(path).lies(below: PathText.absolute(root)) else { throw .outside(root) }
            throw .reading(path, cause, root: root)
        }
        defer { close(handle) }
        guard let place = target(of: link(to: handle)), let folder = realPath(of: root), place.lies(below: folder)
        else {
            throw .outside(root)
        }
        return try open(link(to: handle), named: path, root: root)
    }

    private static func link(to descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    /// The target of a symbolic link. nil if it is none.
    static func target(of link: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let length = readlink(link, start, buffer.count - 1)
            guard length > 0 else { return nil }
            buffer[length] = 0
            return String(validatingCString: start)
        }
    }

    private static func realPath(of path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }
}

extension String {
    /// Whether the path is below a folder. Both are absolute.
    fileprivate func lies(below folder: String) -> Bool {
        utf8.starts(with: (folder.utf8.last == UInt8(ascii: "/") ? folder : folder + "/").utf8)
    }
}

extension PictureFault {
    /// The fault of a file or an answer that has more bytes than allowed.
    public static func tooLarge(bytes: Int) -> PictureFault {
        PictureFault(.tooLarge, "\(bytes) bytes, over the limit of \(PictureLimits.bytes >> 20) MiB")
    }

    /// - Parameter root: the folder that a file must be in. Nothing is looked up outside.
    fileprivate static func reading(_ path: String, _ cause: Int32, root: String? = nil) -> PictureFault {
        PictureFault(
            .image, "cannot be read: \(String(cString: strerror(cause)))",
            absence: PictureAbsence(ofFile: path, cause, links: root == nil ? 8 : 0))
    }

    fileprivate static func outside(_ root: String) -> PictureFault {
        PictureFault(.image, "is not below IMAGE_ROOT (\(root))")
    }
}
