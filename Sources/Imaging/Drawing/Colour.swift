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

/// The colour of a label, which is the same in all pictures and on all boxes.
func labelColour(_ label: String) -> Colour {
    // FNV-1a, 64 bits.
    let hash = label.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    // This factor keeps person, face, car, dog, cat, bicycle, bus, truck, chair, bottle, cup and bird apart.
    return palette[Int((hash &* 0xB3D4_61F0_DF78_3A5F) >> 60)]
}

/// Sixteen colours that are easy to tell apart, after Sasha Trubetskoy's list of distinct colours. Its darkest ones,
/// which would be lost on a photo, are left out.
private let palette = [
    0xFFE119, 0xE6194B, 0x911EB4, 0x808000, 0xFABED4, 0x469990, 0x9A6324, 0xDCBEFF,
    0xBFEF45, 0xAAFFC3, 0x42D4F4, 0xF58231, 0x3CB44B, 0x4363D8, 0xF032E6, 0xFF9F80,
].map { Colour($0) }
