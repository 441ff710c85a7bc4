import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("A picture is turned upright")
struct OrientationTests {
    let cropper = PictureCropper(parallelism: 1)

    /// The colours of the four quarters, row by row, of the picture that `Quadrants` makes, for each orientation.
    static let upright = [
        1: [Quadrants.red, Quadrants.green, Quadrants.blue, Quadrants.yellow],
        2: [Quadrants.green, Quadrants.red, Quadrants.yellow, Quadrants.blue],
        3: [Quadrants.yellow, Quadrants.blue, Quadrants.green, Quadrants.red],
        4: [Quadrants.blue, Quadrants.yellow, Quadrants.red, Quadrants.green],
        5: [Quadrants.red, Quadrants.blue, Quadrants.green, Quadrants.yellow],
        6: [Quadrants.blue, Quadrants.red, Quadrants.yellow, Quadrants.green],
        7: [Quadrants.yellow, Quadrants.green, Quadrants.blue, Quadrants.red],
        8: [Quadrants.green, Quadrants.yellow, Quadrants.red, Quadrants.blue],
    ]

    @Test("by the EXIF orientation of a JPEG", arguments: 1...8, [true, false])
    func jpegOrientations(orientation: Int, bigEndian: Bool) async throws {
        let bytes = jpeg(
            try Quadrants.jpeg(width: 160, height: 96),
            with: exifSegment(orientation: orientation, bigEndian: bigEndian))
        let (width, height) = orientation < 5 ? (160, 96) : (96, 160)
        try await expectQuarters(.bytes(bytes), width, height, try #require(Self.upright[orientation]))
    }

    @Test("by whatever its format says it with", arguments: Fixtures.names.filter { $0.hasPrefix("turned.") })
    func formats(name: String) async throws {
        try await expectQuarters(.file(Fixtures.path(name)), 32, 48, try #require(Self.upright[6]))
    }

    @Test("also where its header alone is asked for its size", arguments: Fixtures.names)
    func size(name: String) async throws {
        let picture = PictureSource.file(Fixtures.path(name))
        let size = try await cropper.uprightSize(picture)
        let decoded = try await cropper.crop(picture, to: [], quality: 90)
        #expect(size == (decoded.width, decoded.height))
        #expect(size == (name.hasPrefix("turned.") ? (32, 48) : size))
        let photo = Fixtures.photos + "/coffee_exif_gps.jpg"
        #expect(try await cropper.uprightSize(.file(photo)).width > 0)
        await #expect(throws: PictureFault.self) { try await cropper.uprightSize(.bytes(Array("BM no picture".utf8))) }
    }

    @Test("not at all where the orientation is damaged or none", arguments: [0, 9, 65_535])
    func noOrientation(value: Int) async throws {
        let bytes = jpeg(try Quadrants.jpeg(width: 160, height: 96), with: exifSegment(orientation: value))
        try await expectQuarters(.bytes(bytes), 160, 96, try #require(Self.upright[1]))
        let cut = [0xFF, 0xE1] + big(2 + 10, 2) + Array("Exif\0\0MM\0*".utf8)
        let damaged = jpeg(try Quadrants.jpeg(width: 160, height: 96), with: cut)
        try await expectQuarters(.bytes(damaged), 160, 96, try #require(Self.upright[1]))
    }

    @Test("so that a crop is what the whole picture shows there", arguments: 1...8)
    func cropsMatchWhole(orientation: Int) throws {
        let stored = try PixelBuffer(width: 75, height: 43)
        var generator = SeededGenerator(seed: UInt64(orientation))
        for index in 0..<stored.bytesPerRow * stored.height {
            stored.bytes[index] = UInt8.random(in: 0...255, using: &generator)
        }
        let picture = DecodedPicture(stored: stored, orientation: Orientation(exif: orientation))
        let whole = Pixels(try picture.upright())
        #expect((whole.width, whole.height) == (picture.width, picture.height))
        let area = PixelArea(x: 5, y: 3, width: 36, height: 38)
        let part = try PixelBuffer(width: area.width, height: area.height)
        picture.copy(area, to: part.bytes)
        let turned = Pixels(part)
        for y in 0..<area.height {
            for x in 0..<area.width where turned.colour(x, y) != whole.colour(area.x + x, area.y + y) {
                Issue.record("orientation \(orientation), pixel \(x), \(y)")
                return
            }
        }
    }

    @Test("as a photo of a phone is stored")
    func photo() async throws {
        let photo = PictureSource.file(Fixtures.photos + "/coffee_exif_gps.jpg")
        let box = Box(x: 0, y: 0, width: 600, height: 400)
        let crops = try await cropper.crop(photo, to: [box], quality: 95)
        #expect((crops.width, crops.height) == (600, 400))
        let turned = try Pixels(jpeg: try #require(crops.crops[0]).jpeg)
        let original = try Pixels(file: Fixtures.photos + "/coffee.png")
        var difference = 0
        for y in stride(from: 4, to: 400, by: 8) {
            for x in stride(from: 4, to: 600, by: 8) {
                difference += zip(turned.colour(x, y), original.colour(x, y)).reduce(0) { $0 + abs($1.0 - $1.1) }
            }
        }
        #expect(difference / (3 * 50 * 75) < 8)
    }

    private func expectQuarters(
        _ picture: PictureSource, _ width: Int, _ height: Int, _ colours: [[Int]],
        at place: SourceLocation = #_sourceLocation
    ) async throws {
        let (w, h) = (Double(width / 2), Double(height / 2))
        let boxes = [(0, 0), (w, 0), (0, h), (w, h)].map { Box(x: $0.0, y: $0.1, width: w, height: h) }
        let crops = try await cropper.crop(picture, to: boxes, quality: 95)
        #expect((crops.width, crops.height) == (width, height), sourceLocation: place)
        for (crop, colour) in zip(crops.crops, colours) {
            let pixels = try Pixels(jpeg: try #require(crop).jpeg)
            #expect((pixels.width, pixels.height) == (width / 2, height / 2), sourceLocation: place)
            #expect(pixels.is(colour, 4, 4), "\(pixels.colour(4, 4))", sourceLocation: place)
            #expect(pixels.is(colour, width / 2 - 4, height / 2 - 4), sourceLocation: place)
        }
    }
}
