/// Sizes in pixels, in proportion to the photo. On a photo that is a narrow strip they stay small.
struct DrawingScale {
    let line: Int
    /// The size of the font, which is the height of its em square.
    let text: Int
    let barHeight: Int
    /// The distance from the bar's upper edge to the top of the line of text, which is 1.16 em high in DejaVu Sans.
    let lineTop: Int
    /// The distance between the ends of a bar and its text.
    let padding: Int

    init(width: Int, height: Int) {
        let (longer, shorter) = (Double(max(width, height)), Double(min(width, height)))
        line = max(1, Int(min(0.003 * longer, 0.03 * shorter).rounded()))
        text = max(11, Int(min(0.022 * longer, 0.25 * shorter, 512).rounded()))
        barHeight = Int((1.26 * Double(text)).rounded())
        lineTop = Int((0.04 * Double(text)).rounded())
        padding = max(2, Int((0.25 * Double(text)).rounded()))
    }
}
