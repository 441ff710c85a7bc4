import Pictures
import Pipeline

/// The content that a request posts. It is read piece by piece as curl sends it, so nothing is copied in advance.
enum PostedContent {
    /// The file stays open until curl has sent it.
    case file(ImageFile)
    case bytes([UInt8])

    /// The size in bytes.
    var size: Int {
        switch self {
        case .file(let file): file.size
        case .bytes(let bytes): bytes.count
        }
    }

    /// Reads the bytes from `offset` that fit into the buffer.
    /// - Parameter offset: at most `size`.
    /// - Returns: how many bytes there are.
    /// - Throws: `image` if a file is unreadable, or shorter than announced.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(PictureFault) -> Int {
        let count = min(buffer.count, size - offset)
        switch self {
        case .file(let file):
            let got = try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
            guard got == count else { throw file.changing("shrinks") }
        case .bytes(let bytes): buffer.copyBytes(from: bytes[offset..<offset + count])
        }
        return count
    }
}
