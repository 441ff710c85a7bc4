import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("A picture is made smaller")
struct ScalingTests {
    let cropper = PictureCropper(parallelism: 1)

    @Test("upright, by all eight orientations", arguments: 1...8)
    func orientations(orientation: Int) async throws {
        let bytes = jpeg(try Quadrants.jpeg(width: 640, height: 384), with: exifSegment(orientation: orientation))
        let small = try await cropper.scale(.bytes(bytes), toFit: ScaledFit(width: 100, height: 100), quality: 90)
        #expect((small.width, small.height) == (orientation < 5 ? (100, 60) : (60, 100)))
        let pixels = try Pixels(jpeg: small.jpeg)
        #expect((pixels.width, pixels.height) == (small.width, small.height))
        let colours = try #require(OrientationTests.upright[orientation])
        let (left, right) = (pixels.width / 4, pixels.width * 3 / 4)
        let (top, bottom) = (pixels.height / 4, pixels.height * 3 / 4)
        for (place, colour) in zip([(left, top), (right, top), (left, bottom), (right, bottom)], colours) {
            #expect(pixels.is(colour, place.0, place.1), "\(place): \(pixels.colour(place.0, place.1))")
        }
    }

    @Test("of every format; none is made larger", arguments: Fixtures.names)
    func formats(name: String) async throws {
        let picture = PictureSource.file(Fixtures.path(name))
        let size = try await cropper.uprightSize(picture)
        let same = try await cropper.scale(picture, toFit: ScaledFit(width: 500, height: 500), quality: 90)
        #expect((same.width, same.height) == size)
        let small = try await cropper.scale(picture, toFit: ScaledFit(width: 16, height: 9999), quality: 90)
        #expect(small.width == 16)
        #expect(small.height == Int((Double(size.height * 16) / Double(size.width)).rounded()))
        #expect(try Pixels(jpeg: small.jpeg).width == 16)
    }

    @Test("to any size, each pixel the mean of what it covers", arguments: 0..<40 as Range<UInt64>)
    func means(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let (width, height) = (Int.random(in: 1...70, using: &random), Int.random(in: 1...70, using: &random))
        let picture = try PixelBuffer(width: width, height: height)
        for index in 0..<picture.bytesPerRow * height {
            picture.bytes[index] = UInt8.random(in: 0...255, using: &random)
        }
        let (across, down) = (Int.random(in: 1...width, using: &random), Int.random(in: 1...height, using: &random))
        let small = try picture.shrunk(width: across, height: down)
        #expect((small.width, small.height) == (across, down))
        for y in 0..<down {
            for x in 0..<across {
                for part in 0..<3 {
                    let expected = mean(picture, x, y, across, down, part)
                    let found = Double(small.pixel(x: x, y: y)[part])
                    guard abs(found - expected) > 2.5 else { continue }
                    Issue.record("\(width)×\(height) to \(across)×\(down) at \(x), \(y): \(found), not \(expected)")
                    return
                }
            }
        }
    }

    private func mean(_ picture: PixelBuffer, _ x: Int, _ y: Int, _ across: Int, _ down: Int, _ part: Int) -> Double {
        let (stepX, stepY) = (Double(picture.width) / Double(across), Double(picture.height) / Double(down))
        var (sum, area) = (0.0, 0.0)
        for row in 0..<picture.height {
            let high = min(Double(row + 1), Double(y + 1) * stepY) - max(Double(row), Double(y) * stepY)
            guard high > 0 else { continue }
            for column in 0..<picture.width {
                let wide = min(Double(column + 1), Double(x + 1) * stepX) - max(Double(column), Double(x) * stepX)
                guard wide > 0 else { continue }
                sum += Double(picture.pixel(x: column, y: row)[part]) * wide * high
                area += wide * high
            }
        }
        return sum / area
    }

    @Test("from no more of a JPEG than is needed: no larger picture than twice the size is decoded")
    func eighths() throws {
        let fit = ScaledFit(width: 320, height: 320)
        #expect(fit.eighths(of: (12_000, 8000)) == 1)
        #expect(fit.eighths(of: (1000, 600)) == 3)
        #expect(fit.eighths(of: (300, 200)) == 8)
        let bytes = try Quadrants.jpeg(width: 2000, height: 1001)
        let decoded = try StoredPicture(.bytes(bytes)).decode(forFit: fit)
        #expect((decoded.width, decoded.height) == (500, 251))
        for length in [1, 7, 8, 9, 63, 640] {
            for eighth in 1...8 {
                let jpeg = try Quadrants.jpeg(width: length, height: 16)
                try jpeg.withUnsafeBufferPointer { buffer in
                    let pixels = try JPEGDecoding.pixels(of: buffer, width: length, height: 16, eighths: eighth)
                    #expect(pixels.width == (length * eighth + 7) / 8)
                }
            }
        }
    }

    @Test("not if it is damaged, truncated or beyond the limits; strips keep a pixel on each side")
    func refused() async throws {
        let fit = ScaledFit(width: 100, height: 100)
        let whole = try Quadrants.jpeg(width: 640, height: 384)
        await #expect(throws: PictureFault.self) {
            try await cropper.scale(.bytes(Array(whole.prefix(whole.count / 2))), toFit: fit, quality: 90)
        }
        await #expect(throws: PictureFault.self) {
            try await cropper.scale(.bytes(Array("<script>".utf8)), toFit: fit, quality: 90)
        }
        let strip = try await cropper.scale(
            .bytes(try Quadrants.png(width: 60_000, height: 8)), toFit: fit, quality: 90)
        #expect((strip.width, strip.height) == (100, 1))
        let outside = PictureCropper(parallelism: 1, root: "/nowhere")
        await #expect(throws: PictureFault.self) {
            try await outside.scale(.file(Fixtures.path("grey.jpg")), toFit: fit, quality: 90)
        }
    }
}
