import Glibc
import Pictures
import Pipeline

/// Pixels of three bytes, red, green and blue, in rows from top to bottom without gaps.
final class PixelBuffer {
    static let bytesPerPixel = 3

    let bytes: UnsafeMutablePointer<UInt8>
    let width: Int
    let height: Int
    private let release: (UnsafeMutablePointer<UInt8>) -> Void

    var bytesPerRow: Int { width * Self.bytesPerPixel }

    /// Takes over memory for width × height pixels, which `release` frees.
    init(
        owning bytes: UnsafeMutablePointer<UInt8>, width: Int, height: Int,
        release: @escaping (UnsafeMutablePointer<UInt8>) -> Void
    ) {
        self.bytes = bytes
        self.width = width
        self.height = height
        self.release = release
    }

    /// Allocates pixels of any colour.
    /// - Throws: `image` if there is no memory for them.
    convenience init(width: Int, height: Int) throws(PictureFault) {
        guard let memory = PixelBuffer.memory(width: width, height: height) else {
            throw PictureFault(.image, "there is no memory for \(width) × \(height) pixels")
        }
        let bytes = memory.assumingMemoryBound(to: UInt8.self)
        self.init(owning: bytes, width: width, height: height) { free($0) }
    }

    /// Whether there is memory for this many pixels at this moment.
    static func hasRoom(width: Int, height: Int) -> Bool {
        let memory = memory(width: width, height: height)
        free(memory)
        return memory != nil
    }

    private static func memory(width: Int, height: Int) -> UnsafeMutableRawPointer? {
        malloc(max(1, width * height * bytesPerPixel))
    }

    deinit {
        release(bytes)
    }

    func pixel(x: Int, y: Int) -> UnsafeMutablePointer<UInt8> {
        bytes + (y * bytesPerRow + x * Self.bytesPerPixel)
    }
}
