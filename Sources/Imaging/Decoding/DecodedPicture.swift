import Pictures
import Pipeline

/// A picture as it was stored, how to turn it upright, and what its numbers mean.
struct DecodedPicture {
    var stored: PixelBuffer
    var orientation: Orientation
    var profile: ColourProfile?

    /// The width of the upright picture, in pixels.
    var width: Int { orientation.upright(width: stored.width, height: stored.height).width }
    var height: Int { orientation.upright(width: stored.width, height: stored.height).height }

    /// The whole picture, turned upright.
    func upright() throws(PictureFault) -> PixelBuffer {
        if orientation == .upright { return stored }
        let turned = try PixelBuffer(width: width, height: height)
        copy(PixelArea(x: 0, y: 0, width: width, height: height), to: turned.bytes)
        return turned
    }

    /// Copies an area of the upright picture, turned upright, to `target`, in rows without gaps.
    func copy(_ area: PixelArea, to target: UnsafeMutablePointer<UInt8>) {
        let (right, down) = steps
        let origin = offset(x: area.x, y: area.y)
        // If columns become rows, the source lines of a tile stay in the cache.
        let tile = orientation.swapsAxes ? 32 : max(area.width, area.height)
        for top in stride(from: 0, to: area.height, by: tile) {
            for left in stride(from: 0, to: area.width, by: tile) {
                for y in top..<min(top + tile, area.height) {
                    var source = stored.bytes + (origin + y * down + left * right)
                    var place = target + (y * area.width + left) * PixelBuffer.bytesPerPixel
                    for _ in left..<min(left + tile, area.width) {
                        place[0] = source[0]
                        place[1] = source[1]
                        place[2] = source[2]
                        place += PixelBuffer.bytesPerPixel
                        source += right
                    }
                }
            }
        }
    }

    /// How many bytes of the stored picture lie between an upright pixel and its right and lower neighbours.
    private var steps: (right: Int, down: Int) {
        let x = orientation.reversesX ? -PixelBuffer.bytesPerPixel : PixelBuffer.bytesPerPixel
        let y = orientation.reversesY ? -stored.bytesPerRow : stored.bytesPerRow
        return orientation.swapsAxes ? (y, x) : (x, y)
    }

    /// Where the upright pixel (x, y) is stored.
    private func offset(x: Int, y: Int) -> Int {
        let (column, row) = orientation.swapsAxes ? (y, x) : (x, y)
        let storedX = orientation.reversesX ? stored.width - 1 - column : column
        let storedY = orientation.reversesY ? stored.height - 1 - row : row
        return storedY * stored.bytesPerRow + storedX * PixelBuffer.bytesPerPixel
    }
}
