import Foundation
import Model
import Pipeline
import Testing

@testable import Imaging

/// SplitMix64: the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

enum Fixtures {
    static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    static let photos = tests.deletingLastPathComponent().deletingLastPathComponent().appending(path: "examples/photos")
        .path

    /// Pictures of four colours, 48 × 32 pixels unless said otherwise: red and green above blue and yellow. What is
    /// called `turned` is stored so, with orientation 6: upright it is 32 × 48 pixels.
    static let names = [
        "alpha.png", "animated.gif", "animated.webp", "cmyk.jpg", "cmyk.tiff", "grey.jpg", "grey16.png",
        "lossless.webp", "lossy.webp", "plain.avif", "plain.bmp", "plain.gif", "plain.heic", "plain.png", "plain.tiff",
        "progressive.jpg", "rgb.bmp", "turned.avif", "turned.heic", "turned.jpg", "turned.png", "turned.tiff",
        "turned.webp",
    ]

    static func path(_ name: String) -> String { tests.appending(path: "Fixtures/\(name)").path }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path(name))))
    }
}

/// A folder of one test, removed with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "farm-imaging-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ bytes: [UInt8], as name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: file(name)))
        return file(name)
    }
}

/// Decoded pixels as a test reads them.
struct Pixels {
    let buffer: PixelBuffer

    var width: Int { buffer.width }
    var height: Int { buffer.height }

    init(_ buffer: PixelBuffer) { self.buffer = buffer }

    init(jpeg: [UInt8]) throws {
        buffer = try StoredPicture(.bytes(jpeg)).decode().stored
    }

    init(file: String) throws {
        buffer = try StoredPicture(.file(file)).decode().upright()
    }

    func colour(_ x: Int, _ y: Int) -> [Int] {
        let place = buffer.pixel(x: x, y: y)
        return [Int(place[0]), Int(place[1]), Int(place[2])]
    }

    /// Whether a pixel is of a colour within `tolerance` of each component.
    func `is`(_ colour: [Int], _ x: Int, _ y: Int, tolerance: Int = 30) -> Bool {
        zip(colour, self.colour(x, y)).allSatisfy { abs($0 - $1) <= tolerance }
    }
}

extension Colour {
    var components: [Int] { [Int(red), Int(green), Int(blue)] }
}

enum Quadrants {
    static let red = [220, 30, 30]
    static let green = [30, 200, 30]
    static let blue = [30, 30, 220]
    static let yellow = [230, 220, 40]

    /// Red and green above blue and yellow.
    static func picture(width: Int, height: Int) throws -> PixelBuffer {
        let picture = try PixelBuffer(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let colour = y < height / 2 ? (x < width / 2 ? red : green) : (x < width / 2 ? blue : yellow)
                for (index, component) in colour.enumerated() {
                    picture.pixel(x: x, y: y)[index] = UInt8(component)
                }
            }
        }
        return picture
    }

    static func jpeg(width: Int, height: Int) throws -> [UInt8] {
        let picture = try picture(width: width, height: height)
        return try JPEGEncoder.encode(
            picture.bytes, width: width, height: height, bytesPerRow: picture.bytesPerRow, quality: 95,
            subsampling: .none)
    }

    static func png(width: Int, height: Int) throws -> [UInt8] {
        try Vips(for: "PNG").encode(try picture(width: width, height: height), as: .png, quality: 90)
    }
}

/// Big-endian bytes of a number.
func big(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// Little-endian bytes of a number.
func little(_ value: Int, _ count: Int) -> [UInt8] { big(value, count).reversed() }

/// An EXIF segment with nothing but an orientation, by default a SHORT as EXIF has it.
func exifSegment(orientation: Int, type: Int = 3, bigEndian: Bool = true) -> [UInt8] {
    let number = bigEndian ? big : little
    var body = Array("Exif\0\0".utf8) + Array(bigEndian ? "MM".utf8 : "II".utf8)
    body += number(42, 2) + number(8, 4) + number(1, 2)
    // BYTE, ASCII, SHORT, LONG; a RATIONAL stands elsewhere.
    let value: [UInt8] =
        switch type {
        case 1, 2: number(orientation, 1) + [0, 0, 0]
        case 3: number(orientation, 2) + [0, 0]
        case 4: number(orientation, 4)
        default: number(26, 4)
        }
    body += number(0x0112, 2) + number(type, 2) + number(1, 4) + value + number(0, 4)
    if type == 5 { body += number(orientation, 4) + number(1, 4) }
    return [0xFF, 0xE1] + big(body.count + 2, 2) + body
}

/// A JPEG with segments put behind its first marker.
func jpeg(_ jpeg: [UInt8], with segments: [UInt8]) -> [UInt8] {
    Array(jpeg[..<2]) + segments + Array(jpeg[2...])
}
