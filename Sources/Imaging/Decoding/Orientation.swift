/// How stored pixels must be turned to be upright: the value of EXIF's tag 0x0112.
struct Orientation: Equatable {
    static let upright = Orientation(exif: 1)

    /// Columns become rows: the upright picture is as wide as the stored one is high.
    let swapsAxes: Bool
    /// Stored columns run from right to left.
    let reversesX: Bool
    /// Stored rows run from bottom to top.
    let reversesY: Bool

    /// A value outside 1…8 counts as upright.
    init(exif value: Int) {
        swapsAxes = (5...8).contains(value)
        reversesX = [2, 3, 7, 8].contains(value)
        reversesY = [3, 4, 6, 7].contains(value)
    }

    /// The dimensions of the upright picture, from those of the stored one.
    func upright(width: Int, height: Int) -> (width: Int, height: Int) {
        swapsAxes ? (height, width) : (width, height)
    }
}
