import Model

/// An area of an upright picture, in whole pixels.
struct PixelArea: Equatable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int

    var pixels: Int { width * height }
    var box: Box { Box(x: Double(x), y: Double(y), width: Double(width), height: Double(height)) }
}

extension PixelArea {
    /// The pixels that a box touches, at least one, clamped to a picture. nil if the box is entirely outside, has no
    /// area, or is no box (NaN, infinite).
    init?(_ box: Box, in picture: (width: Int, height: Int)) {
        guard let columns = Self.pixels(from: box.x, length: box.width, limit: picture.width),
            let rows = Self.pixels(from: box.y, length: box.height, limit: picture.height)
        else { return nil }
        assert(columns.upperBound <= picture.width && rows.upperBound <= picture.height, "a crop lies in its picture")
        self.init(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
    }

    private static func pixels(from start: Double, length: Double, limit: Int) -> Range<Int>? {
        guard start.isFinite, length.isFinite, length > 0, start < Double(limit), start + length > 0 else { return nil }
        let first = Int(max(0, start.rounded(.down)))
        let end = Int(min(Double(limit), (start + length).rounded(.up)))
        return first..<max(first + 1, end)
    }
}
