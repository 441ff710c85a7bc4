import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("A picture that farm has drawn")
struct DrawnMarkTests {
    private let folder: TemporaryFolder
    private let cropper = PictureCropper(parallelism: 1)

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "is known as such in every format that is written", arguments: ["out.jpg", "out.JPEG", "out.png", "out.webp"])
    func known(_ name: String) async throws {
        let path = folder.file(name)
        let box = AnnotatedBox(box: Box(x: 5, y: 5, width: 20, height: 10), label: "cat", score: 0.5)
        try await Annotator().annotate(.file(Fixtures.path("turned.jpg")), boxes: [box], to: path)
        #expect(try await cropper.inspect(.file(path)).isDrawnByFarm)
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        #expect(try await cropper.inspect(.bytes(bytes)).isDrawnByFarm)
        #expect(try await cropper.crop(.file(path), to: [box.box], quality: 90).width == 32, "and still a picture")
    }

    @Test("no photo is taken for one")
    func photos() async throws {
        for name in Fixtures.names {
            #expect(try await !cropper.inspect(.file(Fixtures.path(name))).isDrawnByFarm, "\(name)")
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: Fixtures.photos) where !name.hasSuffix(".md") {
            let header = try? await cropper.inspect(.file(Fixtures.photos + "/" + name))
            #expect(header?.isDrawnByFarm != true, "\(name)")
        }
    }

    @Test("a packet of XMP data that ends beyond the file is no mark, and no other fault")
    func cut() throws {
        let whole = try AnnotatedFormat(path: "a.png").encode(try PixelBuffer(width: 3, height: 2))
        for length in 33..<whole.count {
            var reader = HeaderReader(Array(whole.prefix(length)))
            #expect(try PictureHeader(&reader).width == 3, "\(length) bytes")
        }
    }
}
