import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("A colour profile stays with its numbers")
struct ColourProfileTests {
    let cropper = PictureCropper(parallelism: 1)
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func profile(jpeg: [UInt8]) throws -> [UInt8]? {
        var reader = HeaderReader(jpeg)
        return try reader.jpegHeader().profile.map { Array(jpeg[$0]) }
    }

    /// Of a picture of any format, as it is decoded.
    private func profile(_ picture: PictureSource) throws -> [UInt8]? {
        try StoredPicture(picture).decode().profile?.bytes
    }

    @Test("in crops, upright and turned, and in what farm draws, in every format")
    func kept() async throws {
        let photo = try Fixtures.bytes("display_p3.jpg")
        let original = try #require(try profile(jpeg: photo))
        let boxes = [Box(x: 0, y: 0, width: 20, height: 20), Box(x: 0, y: 0, width: 1e6, height: 1e6)]
        for bytes in [photo, jpeg(photo, with: exifSegment(orientation: 6))] {
            let crops = try await cropper.crop(.bytes(bytes), to: boxes, quality: 90)
            for crop in crops.crops { #expect(try profile(jpeg: try #require(crop).jpeg) == original) }
        }
        for name in ["drawn.jpg", "drawn.png", "drawn.webp"] {
            try await Annotator().annotate(.bytes(photo), boxes: [], to: folder.file(name))
            #expect(try profile(.file(folder.file(name))) == original, "\(name)")
            // The same numbers with the same profile are the same colours.
            let (before, after) = (try Pixels(jpeg: photo), try Pixels(file: folder.file(name)))
            #expect(after.is(before.colour(40, 40), 40, 40, tolerance: 8), "\(name)")
            let crop = try await cropper.crop(.file(folder.file(name)), to: boxes, quality: 90).crops[0]
            #expect(try profile(jpeg: try #require(crop).jpeg) == original, "cut out of \(name)")
        }
    }

    @Test("but not one that is of other colours, is no profile, or is longer than a segment")
    func left() async throws {
        let plain = try Quadrants.jpeg(width: 40, height: 30)
        func segment(_ profile: [UInt8], of count: UInt8 = 1) -> [UInt8] {
            let body = Array("ICC_PROFILE\0".utf8) + [1, count] + profile
            return [0xFF, 0xE2] + big(body.count + 2, 2) + body
        }
        func made(_ colours: String, _ length: Int) -> [UInt8] {
            [UInt8](repeating: 0, count: 16) + Array(colours.utf8) + [UInt8](repeating: 1, count: length - 20)
        }
        let cases = [
            (segment(made("RGB ", 400)), true), (segment(made("CMYK", 400)), false), (segment([1, 2, 3]), false),
            (segment(made("RGB ", 65_000)) + segment(made("RGB ", 65_000)), true),
            (segment(made("RGB ", 400), of: 2), false),
        ]
        for (segments, isKept) in cases {
            let crops = try await cropper.crop(
                .bytes(jpeg(plain, with: segments)), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
            #expect((try profile(jpeg: try #require(crops.crops[0]).jpeg) != nil) == isKept)
        }
        #expect(ColourProfile(made("RGB ", ColourProfile.longest)) != nil)
        #expect(ColourProfile(made("RGB ", ColourProfile.longest + 1)) == nil)
        let inks = try await cropper.crop(
            .bytes(jpeg(try Fixtures.bytes("cmyk.jpg"), with: segment(made("RGB ", 400)))),
            to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
        #expect(try profile(jpeg: try #require(inks.crops[0]).jpeg) == nil)
    }
}
