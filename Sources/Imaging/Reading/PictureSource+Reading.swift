import Pictures
import Pipeline

extension PictureSource {
    /// The bytes of the picture: at least one, and not more than the limit.
    /// - Parameter root: the folder that a file must be in.
    func load(root: String? = nil) throws(PictureFault) -> [UInt8] {
        switch self {
        case .file(let path):
            return try ImageFile(path: path, root: root).readAll()
        case .bytes(let bytes):
            guard !bytes.isEmpty else { throw PictureFault(.image, "there are no bytes") }
            guard bytes.count <= PictureLimits.bytes else { throw .tooLarge(bytes: bytes.count) }
            return bytes
        }
    }

    /// A reader for the header. It reads only small pieces, however large the file is.
    /// - Parameter root: the folder that a file must be in.
    func headerReader(root: String? = nil) throws(PictureFault) -> HeaderReader {
        switch self {
        case .file(let path):
            let file = try ImageFile(path: path, root: root, limit: .max)
            return HeaderReader(count: file.size) { offset, count throws(PictureFault) in
                try file.read(at: offset, count: count)
            }
        case .bytes:
            return HeaderReader(try load())
        }
    }

    /// Does `work`, and puts the picture's name before the message of a fault.
    func naming<Value>(_ work: () throws(PictureFault) -> Value) throws(PictureFault) -> Value {
        do {
            return try work()
        } catch {
            var named = error
            named.message = "\(name): \(error.message)"
            throw named
        }
    }

    /// The path, if it is a file.
    var path: String? {
        if case .file(let path) = self { path } else { nil }
    }

    private var name: String {
        switch self {
        case .file(let path): path
        case .bytes(let bytes): "picture of \(bytes.count) bytes"
        }
    }
}
