import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("Camera raw is told as such, before anything else")
struct CameraRawTests {
    let cropper = PictureCropper(parallelism: 1)
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func kind(_ picture: PictureSource) async -> String? {
        do {
            _ = try await cropper.inspect(picture)
            return nil
        } catch {
            #expect(error.cameraRaw == nil || error.isOfNoImage && error.kind == .image)
            return error.cameraRaw
        }
    }

    @Test("by its bytes, whatever it is called")
    func dng() async throws {
        let bytes = try Fixtures.bytes("raw.dng")
        #expect(await kind(.file(Fixtures.path("raw.dng"))) == "DNG")
        #expect(await kind(.bytes(bytes)) == "DNG")
        #expect(await kind(.file(try folder.write(bytes, as: "photo.tif"))) == "DNG")
        let path = try folder.write(bytes, as: "photo.jpg")
        let crops = await #expect(throws: PictureFault.self) {
            try await cropper.crop(.file(path), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
        }
        #expect(crops?.message == "\(path): camera raw (DNG), which farm does not read: export it as JPEG")
        await #expect(throws: PictureFault.self) { try await cropper.uprightSize(.bytes(bytes)) }
    }

    @Test("by its name where its bytes are those of any TIFF file, or of no picture")
    func names() async throws {
        #expect(await kind(.file(Fixtures.path("raw.cr2"))) == "CR2")
        let picture = try Fixtures.bytes("plain.tiff")
        #expect(await kind(.file(try folder.write(picture, as: "DSC_1.NEF"))) == "NEF")
        #expect(await kind(.file(try folder.write(picture, as: "DSC_1.tif"))) == nil)
        #expect(await kind(.file(try folder.write(Array("unknown".utf8), as: "a.3fr"))) == "3FR")
        // What is a picture by its bytes is one.
        #expect(await kind(.file(try folder.write(try Fixtures.bytes("plain.png"), as: "a.dng"))) == nil)
    }

    @Test(
        "by the mark of its kind",
        arguments: [
            ("FUJIFILMCCD-RAW 0201", "RAF"), ("IIRO\u{8}\0\0\0", "ORF"), ("MMOR\0\0\0\u{8}", "ORF"),
            ("IIU\0\u{18}\0\0\0", "RW2"), ("FOVb\0\0", "X3F"), ("\0MRM\0\0", "MRW"),
            ("II\u{1A}\0\0\0HEAPCCDR", "CRW"), ("\0\0\0\u{18}ftypcrx \0\0\0\u{1}crx isom", "CR3"),
            ("II*\0\u{10}\0\0\0CR\u{2}\0", "CR2"), ("II*\0\u{20}\0\0\0IIIITwaR", "IIQ"),
            ("MM\0*\0\0\0\u{20}MMMMRawT", "IIQ"),
        ])
    func marks(_ beginning: String, _ expected: String) async {
        #expect(await kind(.bytes(Array(beginning.utf8) + [UInt8](repeating: 0, count: 64))) == expected)
    }

    @Test("by a directory of sensor pixels below the thumbnail's", arguments: [32_803, 34_892])
    func sensor(photometric: Int) async throws {
        func entry(_ tag: Int, _ value: Int) -> [UInt8] { big(tag, 2) + big(4, 2) + big(1, 4) + big(value, 4) }
        func directory(_ entries: [[UInt8]]) -> [UInt8] { big(entries.count, 2) + entries.joined() + big(0, 4) }
        let thumbnail = [entry(256, 40), entry(257, 30), entry(262, 2)]
        let below = 8 + 2 + 4 * 12 + 4
        func file(_ kind: Int) -> [UInt8] {
            [0x4D, 0x4D, 0, 42] + big(8, 4) + directory(thumbnail + [entry(330, below)]) + directory([entry(262, kind)])
        }
        #expect(await kind(.bytes(file(photometric))) == "TIFF")
        #expect(await kind(.file(try folder.write(file(photometric), as: "a.nef"))) == "NEF")
        #expect(await kind(.bytes(file(2))) == nil)
    }

    @Test("and a picture is none, whose pixels look like a mark or whose directories lead in a circle")
    func pictures() async throws {
        for pixels in ["IIIIIIIIIIII", "MMMMMMMMMMMM", "CR\u{2}CRCRCRCRC"] {
            var bytes = Array("II*\0".utf8) + little(20, 4) + Array(pixels.utf8)
            bytes += little(1, 2) + little(330, 2) + little(4, 2) + little(1, 4) + little(20, 4) + little(20, 4)
            #expect(await kind(.bytes(bytes)) == nil)
        }
        for name in Fixtures.names { #expect(await kind(.file(Fixtures.path(name))) == nil, "\(name)") }
    }

    @Test("also where it is larger than what farm reads, as is a film")
    func large() async throws {
        let raw = try folder.write(try Fixtures.bytes("raw.dng"), as: "large.dng")
        let film = try folder.write(Array("\0\0\0\u{18}ftypisom\0\0\0\0isommp42".utf8), as: "film.mp4")
        for path in [raw, film] { try #require(truncate(path, 70 << 20) == 0) }
        #expect(await kind(.file(raw)) == "DNG")
        let fault = await #expect(throws: PictureFault.self) { try await cropper.inspect(.file(film)) }
        #expect(fault?.isOfNoImage == true)
    }
}
