/// Pixels of three bytes, red, green and blue; rows from top to bottom without gaps.
final class PixelBuffer {
    static let bytesPerPixel = 3

    let bytes: UnsafeMutablePointer<UInt8>
    let width: Int
    let height: Int
    private let release: (UnsafeMutablePointer<UInt8>) -> Void

    var bytesPerRow: Int { width * Self.bytesPerPixel }

    /// Takes over memory of width × height pixels, which `release` gives back.
    init(
        owning bytes: UnsafeMutablePointer<UInt8>, width: Int, height: Int,
        release: @escaping (UnsafeMutablePointer<UInt8>) -> Void
    ) {
        self.bytes = bytes
        self.width = width
        self.height = height
        self.release = release
    }

    /// Allocates pixels of any colour, with room for `bytesPerPixel` bytes each.
    convenience init(width: Int, height: Int, bytesPerPixel: Int = PixelBuffer.bytesPerPixel) {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: width * height * bytesPerPixel)
        self.init(owning: bytes, width: width, height: height) { $0.deallocate() }
    }

    deinit {
        release(bytes)
    }

    func pixel(x: Int, y: Int) -> UnsafeMutablePointer<UInt8> {
        bytes + (y * bytesPerRow + x * Self.bytesPerPixel)
    }
}
