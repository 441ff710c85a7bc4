import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("Pictures made to cost much")
struct BombTests {
    let cropper = PictureCropper(parallelism: 1)
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "A JPEG that goes over its pixels hundreds of times is refused before it is decoded; a photo of ten scans is not"
    )
    func scans() async throws {
        let bomb = progressive(width: 10_000, height: 10_000, scans: 490)
        #expect(bomb.count < 300_000)
        let fault = await #expect(throws: PictureFault.self) {
            try await cropper.crop(.bytes(bomb), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
        }
        #expect(fault?.kind == .tooLarge)
        #expect(fault?.message.hasSuffix("10000 × 10000 pixels in 491 scans, too many for its size") == true)
        let small = progressive(width: 1000, height: 1000, scans: 490)
        _ = try await cropper.crop(.bytes(small), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
        let photo = try Fixtures.bytes("progressive.jpg")
        _ = try await cropper.crop(.bytes(photo), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
    }

    @Test("A PNG of a few kilobytes becomes a hundred megapixels, and no more")
    func deflated() async throws {
        let picture = try PixelBuffer(width: 10_000, height: 10_000)
        picture.bytes.update(repeating: 0, count: 300_000_000)
        let bomb = try Vips(for: "PNG").encode(picture, as: .png, quality: 90)
        #expect(bomb.count < 1 << 20)
        let crops = try await cropper.crop(.bytes(bomb), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
        #expect(crops.width == 10_000)
    }

    @Test("A strip of a picture gets labels of its height, not of its length")
    func strip() async throws {
        let strip = try Quadrants.png(width: 60_000, height: 8)
        let boxes = [AnnotatedBox(box: Box(x: 0, y: 0, width: 100, height: 8), label: "person", score: 0.5)]
        try await Annotator().annotate(.bytes(strip), boxes: boxes, to: folder.file("out.png"))
        #expect(DrawingScale(width: 60_000, height: 8).text == 11)
        #expect(DrawingScale(width: 4000, height: 3000).text == 88)
    }

    @Test("Of a hundred thousand boxes the surest are drawn")
    func boxes() async throws {
        let picture = try Quadrants.png(width: 400, height: 300)
        var boxes = (0..<100_000).map {
            AnnotatedBox(box: Box(x: Double($0 % 390), y: 10, width: 5, height: 5), label: "a", score: 0.1)
        }
        let sure = AnnotatedBox(box: Box(x: 100, y: 200, width: 60, height: 60), label: "sure", score: 0.9)
        boxes.append(sure)
        try await Annotator().annotate(.bytes(picture), boxes: boxes, to: folder.file("out.png"))
        let drawn = try Pixels(file: folder.file("out.png"))
        #expect(drawn.is(labelColour("sure").components, 100, 230))
    }

    /// A grey progressive JPEG whose scans after the first say only that nothing changes.
    private func progressive(width: Int, height: Int, scans: Int) -> [UInt8] {
        func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] { [0xFF, marker] + big(body.count + 2, 2) + body }
        func table(_ place: UInt8, _ symbol: UInt8) -> [UInt8] {
            segment(0xC4, [place, 1] + [UInt8](repeating: 0, count: 15) + [symbol])
        }
        let blocks = ((width + 7) / 8) * ((height + 7) / 8)
        var bits = ""
        var left = blocks
        // EOB14: a run of 16,384 blocks and what its 14 bits say.
        while left > 0 {
            let run = min(max(left, 16_384), 32_767)
            let rest = String(run - 16_384, radix: 2)
            bits += "0" + String(repeating: "0", count: 14 - rest.count) + rest
            left -= run
        }
        bits += String(repeating: "1", count: (8 - bits.count % 8) % 8)
        var empty: [UInt8] = []
        for start in stride(from: 0, to: bits.count, by: 8) {
            let from = bits.index(bits.startIndex, offsetBy: start)
            let byte = UInt8(bits[from..<bits.index(from, offsetBy: 8)], radix: 2) ?? 0
            empty += byte == 0xFF ? [0xFF, 0] : [byte]
        }
        var jpeg: [UInt8] = [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
        jpeg += segment(0xC2, [8] + big(height, 2) + big(width, 2) + [1, 1, 0x11, 0]) + table(0, 0) + table(0x10, 0xE0)
        jpeg += segment(0xDA, [1, 1, 0, 0, 0, 0]) + [UInt8](repeating: 0, count: (blocks + 7) / 8)
        for _ in 0..<scans { jpeg += segment(0xDA, [1, 1, 0, 1, 63, 0]) + empty }
        return jpeg + [0xFF, 0xD9]
    }
}
