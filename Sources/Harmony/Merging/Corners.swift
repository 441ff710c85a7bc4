import Model

/// A rectangle by its edges, the form in which boxes are averaged and compared.
///
/// The area comes from the edges too, and not from the sides that were sent. So the IoU of a box with itself is exactly
/// 1, even far from the origin, where adding and subtracting does not give back the side.
struct Corners {
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double

    init(left: Double, top: Double, right: Double, bottom: Double) {
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
    }

    init(_ box: Box) {
        self.init(left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height)
    }

    var width: Double { right - left }
    var height: Double { bottom - top }
    var area: Double { width * height }

    /// From 0 to 1. 0 if nothing is shared.
    func intersectionOverUnion(_ other: Corners) -> Double {
        let across = min(right, other.right) - max(left, other.left)
        let down = min(bottom, other.bottom) - max(top, other.top)
        guard across > 0, down > 0 else { return 0 }
        let common = across * down
        return common / (area + other.area - common)
    }

    /// All edges times `factor`, divided by `divisor`.
    func scaled(by factor: Double = 1, over divisor: Double = 1) -> Corners {
        Corners(
            left: left * factor / divisor, top: top * factor / divisor, right: right * factor / divisor,
            bottom: bottom * factor / divisor)
    }

    /// Adds edge by edge.
    mutating func add(_ other: Corners) {
        left += other.left
        top += other.top
        right += other.right
        bottom += other.bottom
    }

    /// The stored form: pixels with two decimals.
    var roundedBox: Box {
        Box(
            x: rounded(left, decimals: .two), y: rounded(top, decimals: .two), width: rounded(width, decimals: .two),
            height: rounded(height, decimals: .two))
    }

    /// Compares by x, y, width and height, ascending.
    func precedes(_ other: Corners) -> Bool {
        (left, top, width, height) < (other.left, other.top, other.width, other.height)
    }
}
