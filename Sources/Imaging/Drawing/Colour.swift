import Glibc

/// A colour in the sRGB space.
struct Colour: Equatable {
    static let black = Colour(0x000000)
    static let white = Colour(0xFFFFFF)

    let red: UInt8
    let green: UInt8
    let blue: UInt8

    init(_ hexadecimal: UInt32) {
        red = UInt8(truncatingIfNeeded: hexadecimal >> 16)
        green = UInt8(truncatingIfNeeded: hexadecimal >> 8)
        blue = UInt8(truncatingIfNeeded: hexadecimal)
    }

    /// Black or white, whichever has more contrast on this colour (contrast ratio of WCAG 2.1).
    var readableText: Colour {
        (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) ? .black : .white
    }

    /// The relative luminance, from 0 to 1.
    private var luminance: Double {
        func linear(_ component: UInt8) -> Double {
            let value = Double(component) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
}
