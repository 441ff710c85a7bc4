import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("The header of a picture")
struct HeaderTests {
    let cropper = PictureCropper(parallelism: 1)

    @Test("says format, stored dimensions and size, in every format", arguments: Fixtures.names)
    func fixtures(name: String) async throws {
        let header = try await cropper.inspect(.file(Fixtures.path(name)))
        let formats: [String: PictureFormat] = [
            "png": .png, "gif": .gif, "webp": .webp, "jpg": .jpeg, "tiff": .tiff, "bmp": .bmp, "avif": .avif,
            "heic": .heif,
        ]
        // This HEIC encoder stores whole blocks of 64 pixels and a clean aperture.
        let size =
            switch name {
            case "plain.heic", "turned.heic": (64, 64)
            case "rgb.bmp": (24, 16)
            default: (48, 32)
            }
        let bytes = try Fixtures.bytes(name)
        #expect(header.format == formats[String(name.split(separator: ".")[1])])
        #expect((header.width, header.height) == size)
        #expect(header.bytes == bytes.count)
        #expect(try await cropper.inspect(.bytes(bytes)) == header)
    }

    @Test(
        "is read from photos",
        arguments: [
            ("astronaut.png", PictureFormat.png, 512, 512), ("astronaut.webp", .webp, 512, 512),
            ("coffee_exif_gps.jpg", .jpeg, 400, 600), ("camera.png", .png, 512, 512), ("china.jpg", .jpeg, 640, 427),
        ])
    func photos(name: String, format: PictureFormat, width: Int, height: Int) async throws {
        let header = try await cropper.inspect(.file(Fixtures.photos + "/" + name))
        #expect((header.format, header.width, header.height) == (format, width, height))
    }

    @Test("of a JPEG is found behind segments of any length, fill bytes and padding")
    func farFrameHeader() async throws {
        let comment = [0xFF, 0xFE] + big(65_535, 2) + [UInt8](repeating: 0xC0, count: 65_533)
        let bytes = jpeg(
            try Quadrants.jpeg(width: 40, height: 24),
            with: comment + comment + [0xFF, 0xFF, 0xFF, 0xFE, 0, 3, 9, 0, 0])
        let folder = try TemporaryFolder()
        let header = try await cropper.inspect(.file(try folder.write(bytes, as: "far.jpg")))
        #expect((header.width, header.height) == (40, 24))
    }

    @Test("of a lossy WebP leaves out the scaling bits")
    func scaledWebP() throws {
        let frame: [UInt8] = [0x50, 1, 0, 0x9D, 0x01, 0x2A] + little(0x4000 | 640, 2) + little(0x8000 | 480, 2)
        try expect(Array("RIFF".utf8) + little(30, 4) + Array("WEBPVP8 ".utf8) + little(10, 4) + frame, 640, 480)
    }

    @Test("of an extended WebP is its canvas")
    func extendedWebP() throws {
        let canvas = [UInt8](repeating: 0, count: 4) + little(2_999, 3) + little(1_999, 3)
        try expect(Array("RIFF".utf8) + little(30, 4) + Array("WEBPVP8X".utf8) + little(10, 4) + canvas, 3_000, 2_000)
    }

    @Test("of a BMP may count its rows from the top, or be of OS/2")
    func bmp() throws {
        let head = Array("BM".utf8) + little(100, 4) + little(0, 4) + little(54, 4)
        let rest = little(1, 2) + little(24, 2) + [UInt8](repeating: 0, count: 24)
        try expect(head + little(40, 4) + little(70, 4) + little(-50, 4) + rest, 70, 50)
        try expect(head + little(12, 4) + little(70, 2) + little(50, 2) + rest, 70, 50)
        #expect(throws: PictureFault.self) {
            try header(head + little(40, 4) + little(70, 4) + little(Int(Int32.min), 4) + rest)
        }
    }

    @Test("of a TIFF is read in both byte orders, with values of two, four and eight bytes")
    func tiff() throws {
        let large = [0x4D, 0x4D, 0, 42] + big(8, 4) + big(2, 2)
        let entries =
            big(256, 2) + big(4, 2) + big(1, 4) + big(300, 4) + big(257, 2) + big(3, 2) + big(1, 4) + big(200, 2)
        try expect(large + entries + [0, 0, 0, 0, 0, 0], 300, 200)

        let bigTIFF: [UInt8] = [0x49, 0x49, 43, 0, 8, 0, 0, 0] + little(16, 8) + little(2, 8)
        let width = little(256, 2) + little(16, 2) + little(1, 8) + little(300, 8)
        let height = little(257, 2) + little(4, 2) + little(1, 8) + little(200, 8)
        try expect(bigTIFF + width + height, 300, 200)
    }

    @Test("of a HEIF is its largest item's, wherever the boxes lie")
    func heif() throws {
        func box(_ type: String, _ body: [UInt8]) -> [UInt8] { big(body.count + 8, 4) + Array(type.utf8) + body }
        func extent(_ width: Int, _ height: Int) -> [UInt8] { box("ispe", big(0, 4) + big(width, 4) + big(height, 4)) }
        let container = box(
            "ipco", extent(512, 512) + box("colr", [1, 2, 3]) + extent(4_032, 3_024) + extent(320, 240))
        let meta = box("meta", big(0, 4) + box("hdlr", big(0, 8)) + box("iprp", container))
        let data = big(1, 4) + Array("mdat".utf8) + big(16 + 9_000, 8) + [UInt8](repeating: 7, count: 9_000)
        let type = box("ftyp", Array("mif1".utf8) + big(0, 4) + Array("miafheic".utf8))
        try expect(type + data + meta, 4_032, 3_024)
    }

    private func header(_ bytes: [UInt8]) throws -> PictureHeader {
        var reader = HeaderReader(bytes)
        return try PictureHeader(&reader)
    }

    private func expect(_ bytes: [UInt8], _ width: Int, _ height: Int, at place: SourceLocation = #_sourceLocation)
        throws
    {
        let header = try header(bytes)
        #expect((header.width, header.height) == (width, height), sourceLocation: place)
    }
}
