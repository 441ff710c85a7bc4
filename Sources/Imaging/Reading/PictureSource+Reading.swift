import Pictures
import Pipeline

extension PictureSource {
    /// The picture's bytes, which are within the limit and not none.
    /// - Parameter root: the folder that a file has to lie in.
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

    /// A reader of the header, which of a file of any size reads small pieces only.
    /// - Parameter root: the folder that a file has to lie in.
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

    /// Does `work` and puts the picture's name before the message of its fault.
    func naming<Value>(_ work: () throws(PictureFault) -> Value) throws(PictureFault) -> Value {
        do {
            return try work()
        } catch {
            var named = error
            named.message = "\(name): \(error.message)"
            throw named
        }
    }

    /// The file's.
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
