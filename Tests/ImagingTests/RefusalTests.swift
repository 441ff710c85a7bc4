import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("A picture is refused")
struct RefusalTests {
    let cropper = PictureCropper(parallelism: 1)
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The fault of inspecting and of cropping, which must agree.
    private func fault(_ picture: PictureSource) async throws -> PictureFault {
        let ofInspecting = await #expect(throws: PictureFault.self) { try await cropper.inspect(picture) }
        let ofCropping = await #expect(throws: PictureFault.self) {
            try await cropper.crop(picture, to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
        }
        #expect(ofInspecting == ofCropping)
        return try #require(ofInspecting)
    }

    @Test("when its file is missing, a folder, a pipe or no path, with the path and the system's words")
    func unreadable() async throws {
        // In an empty folder it would be away.
        _ = try folder.write([1], as: "other.jpg")
        let missing = try await fault(.file(folder.file("none.jpg")))
        #expect(
            missing == PictureFault(.image, "\(folder.file("none.jpg")): cannot be read: No such file or directory"))
        #expect(try await fault(.file(folder.path)).message == "\(folder.path): cannot be read: Is a directory")
        try #require(mkfifo(folder.file("pipe.jpg"), 0o600) == 0)
        #expect(try await fault(.file(folder.file("pipe.jpg"))).message.hasSuffix("not a regular file"))
        #expect(try await fault(.file("")).kind == .image)
        #expect(try await fault(.file(Fixtures.path("plain.png") + "\0.jpg")).kind == .image)
    }

    @Test("when it is empty")
    func empty() async throws {
        #expect(try await fault(.file(try folder.write([], as: "empty.jpg"))).message.hasSuffix("the file is empty"))
        #expect(try await fault(.bytes([])).kind == .image)
    }

    @Test(
        "when its bytes are no image's, whatever its name says",
        arguments: [
            "just some text", "BMW is a brand of cars, not of bitmaps; this is text.", "<svg xmlns=\"x\"/>", "%PDF-1.7",
            "\0\0\0\u{18}ftypisom\0\0\0\0isommp42 and so on, a film", "RIFF1234WAVEfmt ", "\u{1}", "GIF8",
        ])
    func noImage(text: String) async throws {
        let fault = try await fault(.file(try folder.write(Array(text.utf8), as: "photo.jpg")))
        #expect(fault.kind == .image)
        #expect(fault.message.contains("photo.jpg: not an image: starts with "))
    }

    @Test("when its header says more than 100 megapixels, as too large")
    func tooManyPixels() async throws {
        let png = [0x89] + Array("PNG\r\n\u{1A}\n".utf8) + big(13, 4) + Array("IHDR".utf8)
        let rest: [UInt8] = [8, 2, 0, 0, 0, 0, 0, 0, 0]
        let large = try await fault(.bytes(png + big(30_000, 4) + big(30_000, 4) + rest))
        #expect(large.kind == .tooLarge)
        #expect(large.message.contains("30000 × 30000 pixels, over the limit of 100 megapixels"))
        let huge = try await fault(.bytes(png + big(0xFFFF_FFFF, 4) + big(0xFFFF_FFFF, 4) + rest))
        #expect(huge.kind == .tooLarge)
        let none = try await fault(.bytes(png + big(0, 4) + big(30, 4) + rest))
        #expect(none.kind == .image)

        let bigTIFF: [UInt8] = [0x49, 0x49, 43, 0, 8, 0, 0, 0] + little(16, 8) + little(2, 8)
        let width = little(256, 2) + little(16, 2) + little(1, 8) + little(-1, 8)
        let height = little(257, 2) + little(16, 2) + little(1, 8) + little(-1, 8)
        #expect(try await fault(.bytes(bigTIFF + width + height)).kind == .tooLarge)
    }

    @Test("when its file is over 64 MiB, as too large, without being read")
    func tooManyBytes() async throws {
        let path = try folder.write(try Fixtures.bytes("plain.png"), as: "large.png")
        try #require(truncate(path, 65 << 20) == 0)
        let large = try await fault(.file(path))
        #expect(large.kind == .tooLarge)
        #expect(large.message == "\(path): 68157440 bytes, over the limit of 64 MiB")
        #expect(try await fault(.bytes([UInt8](repeating: 1, count: (64 << 20) + 1))).kind == .tooLarge)
    }

    @Test("when it is cut", arguments: Fixtures.names)
    func truncated(name: String) async throws {
        // Its first frame, which alone is read, ends before the cut.
        guard name != "animated.gif" else { return }
        let bytes = try Fixtures.bytes(name)
        let path = try folder.write(Array(bytes.prefix(bytes.count * 2 / 3)), as: name)
        // Each for itself: libvips keeps the messages of all threads in one place.
        let ofInspecting = await #expect(throws: PictureFault.self) { try await cropper.inspect(.file(path)) }
        let ofCropping = await #expect(throws: PictureFault.self) {
            try await cropper.crop(.file(path), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
        }
        for fault in [ofInspecting, ofCropping] {
            #expect(fault?.kind == .image)
            #expect(fault?.message.contains("\(path): truncated") == true, "\(fault?.message ?? "")")
        }
    }

    @Test("when it is cut anywhere, unless all that is decoded of it is there", arguments: Fixtures.names)
    func cutAnywhere(name: String) async throws {
        let bytes = try Fixtures.bytes(name)
        var generator = SeededGenerator(seed: 0xC07)
        for _ in 0..<40 {
            let length = Int.random(in: 1..<bytes.count, using: &generator)
            let cut = PictureSource.bytes(Array(bytes.prefix(length)))
            let inspected: Void? = try? await { _ = try await cropper.inspect(cut) }()
            let cropped: Void? = try? await { _ = try await cropper.crop(cut, to: [], quality: 90) }()
            #expect(
                cropped != nil || inspected == nil, "\(name): inspected, though it cannot be decoded, cut at \(length)")
            #expect(inspected != nil || cropped == nil, "\(name): refused, though it can be decoded, cut at \(length)")
        }
    }

    @Test("when its last part is zeros, as of a copy that was not finished", arguments: [0.3, 0.6, 0.9])
    func zeroTail(part: Double) async throws {
        let pixels = try PixelBuffer(width: 320, height: 240)
        for index in 0..<320 * 240 * 3 { pixels.bytes[index] = UInt8(truncatingIfNeeded: index / 7 &* 31) }
        let bytes = try JPEGEncoder.encode(pixels.bytes, width: 320, height: 240, bytesPerRow: 960, quality: 90)
        let kept = Int(Double(bytes.count) * part)
        for zeros in [bytes.count - kept, 5 << 20] {
            let fault = try await fault(.bytes(bytes.prefix(kept) + [UInt8](repeating: 0, count: zeros)))
            #expect(fault.message.contains("truncated or damaged JPEG"))
        }
    }

    @Test("when a HEIF leaves the length of its data open and is cut")
    func openLength() async throws {
        var bytes = try Fixtures.bytes("plain.heic")
        let data = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("mdat".utf8)) })
        for index in data - 4..<data { bytes[index] = 0 }
        let boxes = [Box(x: 0, y: 0, width: 9, height: 9)]
        #expect(try await cropper.crop(.bytes(bytes), to: boxes, quality: 90).crops.count == 1)
        #expect(try await cropper.inspect(.bytes(bytes)).format == .heif)
        let cut = PictureSource.bytes(bytes.dropLast(40))
        await #expect(throws: PictureFault.self) { try await cropper.inspect(cut) }
    }

    @Test("or decoded first when it is a compressed bitmap that does not tell its length")
    func unknownLength() throws {
        var bytes = try Fixtures.bytes("plain.bmp")
        bytes.replaceSubrange(30..<38, with: little(1, 4) + little(0, 4))
        var reader = HeaderReader(bytes)
        #expect(try !reader.seemsWhole(.bmp))
    }

    @Test("when a HEIF has boxes without end, before libheif takes memory for each")
    func manyBoxes() async throws {
        let box = big(8, 4) + Array("free".utf8)
        let bytes = try Fixtures.bytes("plain.heic") + (0..<2000).flatMap { _ in box }
        #expect(try await fault(.bytes(bytes)).message.contains("a HEIF of over 1,000 boxes"))
    }

    @Test("when a progressive JPEG is cut within a table", arguments: [392, 393, 440])
    func cutTable(length: Int) async throws {
        let cut = try Fixtures.bytes("progressive.jpg").prefix(length)
        #expect(try await fault(.bytes(Array(cut))).message.contains("truncated or damaged JPEG: Bogus Huffman table"))
    }

    @Test("when it is cut and the end marker in it is a thumbnail's", arguments: ["turned.jpg", "progressive.jpg"])
    func thumbnailsEnd(name: String) async throws {
        let bytes = try Fixtures.bytes(name)
        let thumbnail: [UInt8] = [0xFF, 0xE1, 0, 8] + Array("th".utf8) + [0xFF, 0xD8, 0xFF, 0xD9]
        let cut = bytes.prefix(2) + thumbnail + bytes.dropFirst(2).prefix(bytes.count * 2 / 3)
        #expect(try await fault(.bytes(Array(cut))).message.contains("truncated"))
    }

    @Test(
        "but not for bytes behind its end, nor for its end marker alone that is missing",
        arguments: [
            "cmyk.jpg", "grey.jpg", "progressive.jpg", "turned.jpg",
        ])
    func oddEnds(name: String) async throws {
        let bytes = try Fixtures.bytes(name)
        let whole = try await cropper.crop(.bytes(bytes), to: [Box(x: 0, y: 0, width: 20, height: 20)], quality: 90)
        // So that the marker lies at the edges of what is read at once, too.
        let tails = [1, 2, 100, 65_533, 65_534, 65_535, 65_536, 65_537, 200_000].map {
            [UInt8](repeating: 0x41, count: $0)
        }
        let isSequential = name != "progressive.jpg"
        for odd in tails.map({ bytes + $0 }) + (isSequential ? [bytes.dropLast(2), bytes.dropLast()] : []) {
            #expect(try await cropper.inspect(.bytes(odd)).bytes == odd.count)
            var reader = HeaderReader(odd)
            #expect(try reader.seemsWhole(.jpeg) == (odd.count > bytes.count), "only what lacks its marker is decoded")
            let crops = try await cropper.crop(.bytes(odd), to: [Box(x: 0, y: 0, width: 20, height: 20)], quality: 90)
            #expect(crops.crops == whole.crops)
        }
    }

    @Test("and is not decoded to be inspected if it is sound", arguments: Fixtures.names)
    func wholeWithoutDecoding(name: String) throws {
        var reader = HeaderReader(try Fixtures.bytes(name))
        let header = try PictureHeader(&reader)
        #expect(try reader.seemsWhole(header.format))
    }

    @Test("when it is cut anywhere in its header, or read as it says", arguments: Fixtures.names)
    func cutHeader(name: String) throws {
        let bytes = try Fixtures.bytes(name)
        var whole = HeaderReader(bytes)
        let header = try PictureHeader(&whole)
        for length in 1..<min(bytes.count, 400) {
            var reader = HeaderReader(Array(bytes.prefix(length)))
            do {
                let cut = try PictureHeader(&reader)
                #expect((cut.width, cut.height) == (header.width, header.height), "\(name) cut at \(length)")
            } catch {
                #expect(error.kind == .image, "\(name) cut at \(length)")
            }
        }
    }

    @Test("or read within the limits when bytes of its header are changed", arguments: Fixtures.names)
    func mutatedHeaders(name: String) throws {
        let bytes = try Fixtures.bytes(name)
        var generator = SeededGenerator(seed: 0xFA12)
        for _ in 0..<1_000 {
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let place = Int.random(in: 0..<min(bytes.count, 300), using: &generator)
                mutated[place] =
                    [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &generator)]
                    .randomElement(using: &generator) ?? 0
            }
            if Bool.random(using: &generator) {
                mutated.removeLast(Int.random(in: 0..<mutated.count, using: &generator))
            }
            var reader = HeaderReader(mutated)
            guard let header = try? PictureHeader(&reader) else { continue }
            #expect(header.width > 0 && header.height > 0 && header.width * header.height <= PictureLimits.pixels)
        }
    }

    @Test(
        "alone, and not the sound ones after it",
        arguments: ["turned.jpg", "progressive.jpg", "plain.png", "lossy.webp"])
    func soundAfterDamaged(name: String) async throws {
        let bytes = try Fixtures.bytes(name)
        let boxes = [Box(x: 0, y: 0, width: 20, height: 20)]
        let sound = try await cropper.crop(.bytes(bytes), to: boxes, quality: 90)
        var generator = SeededGenerator(seed: 0xBAD)
        var refused = 0
        for _ in 0..<60 {
            var damaged = bytes
            damaged[Int.random(in: 2..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            do {
                _ = try await cropper.crop(.bytes(damaged), to: boxes, quality: 90)
            } catch {
                refused += 1
            }
            #expect(try await cropper.crop(.bytes(bytes), to: boxes, quality: 90).crops == sound.crops)
        }
        #expect(refused > 0)
    }

    @Test("when libvips is missing, with the name of its Debian package")
    func missingLibrary() {
        let fault = #expect(throws: PictureFault.self) { try Vips(library: "libnosuchvips.so.42", for: "PNG") }
        #expect(fault?.message.contains("PNG needs libvips: install the Debian package libvips42") == true)
        #expect(throws: Never.self) { try Vips(for: "PNG") }
    }
}
