import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

/// Pictures as phones and programs make them, which others have stumbled over: docs/field.md names who reported them.
@Suite("Pictures from the field")
struct FieldPictureTests {
    let cropper = PictureCropper(parallelism: 1)
    /// The colours of the field's pictures.
    static let quarters = [[220, 30, 30], [30, 180, 30], [30, 30, 220], [220, 200, 30]]

    /// Inspects a picture, and checks that its four quarters have these colours.
    private func expect(
        _ picture: PictureSource, _ width: Int, _ height: Int, _ colours: [[Int]] = quarters, _ tolerance: Int = 40,
        at place: SourceLocation = #_sourceLocation
    ) async throws {
        _ = try await cropper.inspect(picture)
        let (w, h) = (Double(width / 2), Double(height / 2))
        let boxes = [(0, 0), (w, 0), (0, h), (w, h)].map { Box(x: $0.0, y: $0.1, width: w, height: h) }
        let crops = try await cropper.crop(picture, to: boxes, quality: 95)
        #expect((crops.width, crops.height) == (width, height), sourceLocation: place)
        #expect(try await cropper.uprightSize(picture) == (width, height), sourceLocation: place)
        for (crop, colour) in zip(crops.crops, colours) {
            let pixels = try Pixels(jpeg: try #require(crop).jpeg)
            let (x, y) = (pixels.width / 2, pixels.height / 2)
            #expect(pixels.is(colour, x, y, tolerance: tolerance), "\(pixels.colour(x, y))", sourceLocation: place)
        }
    }

    // MARK: JPEG

    @Test("A phone's photo without an end marker, with data of the phone's own behind it, is whole")
    func noEnd() async throws {
        try await expect(.file(Fixtures.path("samsung_no_end.jpg")), 160, 120)
        // What is not there to its last pixel is not, whatever follows.
        let bytes = try Fixtures.bytes("samsung_no_end.jpg")
        let trailer = try #require(bytes.indices.first { bytes[$0...].starts(with: [0, 0, 1, 0x0A]) })
        let cut = Array(bytes[..<(trailer / 2)]) + bytes[trailer...]
        await #expect(throws: PictureFault.self) { try await cropper.inspect(.bytes(Array(cut))) }
    }

    @Test(
        "What stands behind the pixels of a photo is not the photo's, whatever it looks like", arguments: [true, false])
    func trailers(hasEnd: Bool) async throws {
        let photo = try Quadrants.jpeg(width: 160, height: 120)
        let whole = hasEnd ? photo : photo.dropLast(2)
        var generator = SeededGenerator(seed: 0xF11)
        let film = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let trailers: [[UInt8]] = [
            Array(repeatElement([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0], count: 600).joined()), film,
            [0xFF, 0xC4, 0, 3, 9], [0xFF, 0xC0, 0, 2], Array("SEFT".utf8), [UInt8](repeating: 0, count: 5000),
            [0xFF, 0xD8] + photo,
        ]
        let colours = [Quadrants.red, Quadrants.green, Quadrants.blue, Quadrants.yellow]
        for trailer in trailers { try await expect(.bytes(whole + trailer), 160, 120, colours) }
    }

    @Test("The orientation is the first directory's tag 0x0112, SHORT or LONG, wherever before the first scan")
    func orientations() async throws {
        for name in ["long_orientation.jpg", "late_exif.jpg"] {
            try await expect(.file(Fixtures.path(name)), 160, 120)
        }
        let photo = try Quadrants.jpeg(width: 160, height: 120)
        let scan = try #require(photo.indices.first { photo[$0...].starts(with: [0xFF, 0xDA]) })
        let turned = try #require(OrientationTests.upright[6])
        let upright = try #require(OrientationTests.upright[1])
        let late = Array(photo[..<scan]) + exifSegment(orientation: 6) + photo[scan...]
        try await expect(.bytes(late), 120, 160, turned)
        // The first segment counts.
        let two = jpeg(late, with: exifSegment(orientation: 1))
        try await expect(.bytes(two), 160, 120, upright)
        // Types: 1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL.
        for (type, isRead) in [(1, false), (2, false), (3, true), (4, true), (5, false)] {
            for isBig in [true, false] {
                let bytes = jpeg(photo, with: exifSegment(orientation: 6, type: type, bigEndian: isBig))
                try await expect(.bytes(bytes), isRead ? 120 : 160, isRead ? 160 : 120, isRead ? turned : upright)
            }
        }
    }

    // MARK: HEIC

    @Test("A HEIC with data behind its boxes that are none is whole, and not decoded to be inspected")
    func heicTrailer() async throws {
        try await expect(.file(Fixtures.path("samsung.heic")), 160, 120)
        let bytes = try Fixtures.bytes("samsung.heic")
        var reader = HeaderReader(bytes)
        #expect(try reader.seemsWhole(.heif))
        // Cut within its pictures it is not, and not with a trailer in their place.
        let trailer = Array(bytes.suffix(20))
        for cut in [Array(bytes[..<900]), Array(bytes[..<900]) + trailer] {
            await #expect(throws: PictureFault.self) { try await cropper.inspect(.bytes(cut)) }
        }
    }

    @Test(
        "A HEIC of iOS 18 is read, or told in one sentence that names libheif: where it is imported as well as cropped")
    func ios18() async throws {
        let picture = PictureSource.file(Fixtures.path("ios18.heic"))
        guard let old = PictureLibraries.oldHEIF else { return try await expect(picture, 160, 120) }
        let boxes = [Box(x: 0, y: 0, width: 9, height: 9)]
        let faults = [
            await #expect(throws: PictureFault.self) { try await cropper.inspect(picture) },
            await #expect(throws: PictureFault.self) { try await cropper.crop(picture, to: boxes, quality: 90) },
            await #expect(throws: PictureFault.self) { try await cropper.uprightSize(picture) },
        ]
        for fault in faults {
            #expect(fault?.message.contains("ios18.heic: libheif \(old) cannot read this HEIC") == true)
            #expect(fault?.message.contains("it takes libheif 1.18") == true)
            #expect(fault?.isOfNoImage == false)
        }
    }

    @Test("Each file is told its own reason, whatever libvips has said before")
    func ownReason() async throws {
        let samsung = try Fixtures.bytes("samsung.heic")
        let cut = try Fixtures.bytes("rgb.bmp").dropLast(40)
        for _ in 0..<3 {
            // It is read, and leaves messages behind.
            _ = try samsung.withUnsafeBufferPointer { try Vips(for: "HEIC").decode($0, as: .heif) }
            let fault = await #expect(throws: PictureFault.self) { try await cropper.inspect(.bytes(Array(cut))) }
            #expect(
                fault?.message.contains("truncated or damaged BMP: magick2vips:") == true, "\(fault?.message ?? "")")
        }
    }

    @Test("also where others fail at the same moment")
    func ownReasonOfMany() async throws {
        let cropper = PictureCropper(parallelism: 4)
        let bmp = try Fixtures.bytes("rgb.bmp").dropLast(40)
        let png = try Fixtures.bytes("plain.png").dropLast(60)
        let boxes = [Box(x: 0, y: 0, width: 9, height: 9)]
        await withTaskGroup(of: (String, String?).self) { group in
            for index in 0..<200 {
                let (name, bytes) = index % 2 == 0 ? ("magick2vips", bmp) : ("vipspng", png)
                group.addTask {
                    do throws(PictureFault) {
                        _ = try await cropper.crop(.bytes(Array(bytes)), to: boxes, quality: 90)
                        return (name, nil)
                    } catch { return (name, error.message) }
                }
            }
            for await (name, message) in group { #expect(message?.contains(name) == true, "\(message ?? "read")") }
        }
    }

    // MARK: TIFF

    /// Four quarters of 8-bit samples, without compression.
    private func tiff(_ photometric: Int, _ quarters: [[Int]], extra: [Int]?) -> [UInt8] {
        let (width, height) = (32, 24)
        let samples = quarters[0].count
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width { pixels += quarters[(y < 12 ? 0 : 2) + (x < 16 ? 0 : 1)].map(UInt8.init) }
        }
        var entries: [(tag: Int, values: [Int])] = [
            (256, [width]), (257, [height]), (258, Array(repeating: 8, count: samples)), (259, [1]),
            (262, [photometric]), (273, [8]), (277, [samples]), (278, [height]), (284, [1]),
        ]
        if let extra { entries.append((338, extra)) }
        let directory = 8 + pixels.count
        var beyond = directory + 2 + (entries.count + 1) * 12 + 4
        var (table, data): ([UInt8], [UInt8]) = ([], [])
        func entry(_ tag: Int, _ type: Int, _ values: [Int], _ bytes: Int) {
            let content = values.flatMap { little($0, bytes) }
            table += little(tag, 2) + little(type, 2) + little(values.count, 4)
            if content.count <= 4 {
                table += content + [UInt8](repeating: 0, count: 4 - content.count)
            } else {
                table += little(beyond, 4)
                data += content
                beyond += content.count
            }
        }
        for (tag, values) in entries where tag < 279 { entry(tag, 3, values, 2) }
        entry(279, 4, [pixels.count], 4)
        for (tag, values) in entries where tag > 279 { entry(tag, 3, values, 2) }
        let head = Array("II*\0".utf8) + little(directory, 4) + pixels
        return head + little(entries.count + 1, 2) + table + little(0, 4) + data
    }

    @Test("Samples of a TIFF that are no alpha are left out, and alpha is found among them")
    func extraSamples() async throws {
        let rgb = Self.quarters
        let cases: [(extra: [Int]?, samples: [Int])] = [
            ([0], [60]), ([0, 0], [60, 200]), (nil, [60]), ([0, 0, 0], [1, 2, 3]),
            // Unassociated alpha, opaque: first, and behind another.
            ([2], [255]), ([0, 2], [60, 255]), ([2, 0], [255, 60]),
            // Associated alpha.
            ([1], [255]), ([1, 0], [255, 60]),
        ]
        for (extra, samples) in cases {
            try await expect(.bytes(tiff(2, rgb.map { $0 + samples }, extra: extra)), 32, 24)
        }
        // Where alpha is 0 there is white.
        let clear = rgb.enumerated().map { $1 + [60, $0 == 0 ? 0 : 255] }
        try await expect(.bytes(tiff(2, clear, extra: [0, 2])), 32, 24, [[255, 255, 255]] + rgb.dropFirst())
        let grey = [10, 90, 160, 250]
        try await expect(
            .bytes(tiff(1, grey.map { [$0, 77] }, extra: [0])), 32, 24, grey.map { [$0, $0, $0] }, 12)
        // CIE L*a*b*: greys of L* 0, 25, 50, 100 in 255ths.
        let lightness = [0, 64, 128, 255].map { [$0, 0, 0, 255] }
        for extra in [[0], [2]] {
            try await expect(
                .bytes(tiff(8, lightness, extra: extra)), 32, 24, [0, 59, 119, 255].map { [$0, $0, $0] }, 12)
        }
        let inks = [[0, 255, 255, 0], [255, 0, 255, 0], [255, 255, 0, 0], [0, 0, 255, 0]]
        var plain = HeaderReader(tiff(5, inks, extra: nil))
        #expect(try plain.tiffSamples() == nil)
        var spot = HeaderReader(tiff(5, inks.map { $0 + [7] }, extra: [0]))
        #expect(try spot.tiffSamples() == TIFFSamples(colours: 4, alpha: nil))
        _ = try await cropper.crop(.bytes(tiff(5, inks.map { $0 + [7] }, extra: [0])), to: [], quality: 90)
    }
}
