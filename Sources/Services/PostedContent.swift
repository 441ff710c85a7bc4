import Pictures
import Pipeline

/// What a request posts, read piece by piece as curl sends it: nothing is copied before.
enum PostedContent {
    /// It stays open until curl has sent it.
    case file(ImageFile)
    case bytes([UInt8])

    /// In bytes.
    var size: Int {
        switch self {
        case .file(let file): file.size
        case .bytes(let bytes): bytes.count
        }
    }

    /// The bytes from `offset` on that fit into the buffer.
    /// - Parameter offset: at most `size`.
    /// - Returns: how many.
    /// - Throws: `image` if a file turns out to be unreadable or shorter than was announced.
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
