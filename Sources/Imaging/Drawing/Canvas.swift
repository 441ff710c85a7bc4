/// Draws into pixels. What is outside of them is left out.
struct Canvas {
    let pixels: PixelBuffer

    func fill(_ area: PixelArea, _ colour: Colour) {
        let columns = max(0, area.x)..<max(0, area.x, min(pixels.width, area.x + area.width))
        for y in max(0, area.y)..<max(0, area.y, min(pixels.height, area.y + area.height)) {
            var place = pixels.pixel(x: columns.lowerBound, y: y)
            for _ in columns {
                place[0] = colour.red
                place[1] = colour.green
                place[2] = colour.blue
                place += PixelBuffer.bytesPerPixel
            }
        }
    }

    /// Draws a frame inside the edges of an area.
    func outline(_ area: PixelArea, line: Int, _ colour: Colour) {
        let across = min(line, area.width)
        let down = min(line, area.height)
        let (right, bottom) = (area.x + area.width - across, area.y + area.height - down)
        fill(PixelArea(x: area.x, y: area.y, width: area.width, height: down), colour)
        fill(PixelArea(x: area.x, y: bottom, width: area.width, height: down), colour)
        fill(PixelArea(x: area.x, y: area.y, width: across, height: area.height), colour)
        fill(PixelArea(x: right, y: area.y, width: across, height: area.height), colour)
    }

    /// Colours the pixels as far as a mask covers them.
    func draw(_ mask: TextMask, x left: Int, y top: Int, _ colour: Colour) {
        for row in max(0, -top)..<max(0, -top, min(mask.height, pixels.height - top)) {
            for column in max(0, -left)..<max(0, -left, min(mask.width, pixels.width - left)) {
                let cover = Int(mask.coverage[row * mask.width + column])
                let place = pixels.pixel(x: left + column, y: top + row)
                place[0] = Self.mix(place[0], colour.red, cover)
                place[1] = Self.mix(place[1], colour.green, cover)
                place[2] = Self.mix(place[2], colour.blue, cover)
            }
        }
    }

    private static func mix(_ below: UInt8, _ above: UInt8, _ cover: Int) -> UInt8 {
        UInt8((Int(below) * (255 - cover) + Int(above) * cover + 127) / 255)
    }
}

/// One line of text as coverage, one byte for each pixel, cropped to its ink.
struct TextMask {
    var coverage: [UInt8]
    var width: Int
    var height: Int
    /// The distance from the top of the line to the ink, in pixels. Texts of one font with equal line tops share a
    /// baseline.
    var inkTop: Int
}
