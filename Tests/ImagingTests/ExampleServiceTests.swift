import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

/// The example services read pictures with code of their own (examples/services/images.py). What they see has to be what
/// farm sees, or the boxes would lie elsewhere.
@Suite("The example services")
struct ExampleServiceTests {
    let cropper = PictureCropper(parallelism: 1)
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// What the services' own code makes of files: size and the colours of the middle of each quarter, or why not.
    private func read(_ paths: [String]) throws -> [JSON] {
        let services = Fixtures.tests.deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "examples/services")
        let python = services.appending(path: ".venv/bin/python3")
        try #require(
            FileManager.default.isExecutableFile(atPath: python.path),
            "no examples/services/.venv: `make setup` makes it")
        let script = """
            import json, sys
            sys.path.insert(0, sys.argv[1])
            import images
            for path in sys.argv[2:]:
                try:
                    with open(path, "rb") as file:
                        pixels = images.read(file.read(), path).pixels
                except images.Refused as refusal:
                    print(json.dumps({"refused": str(refusal)}))
                    continue
                height, width = pixels.shape[:2]
                places = [(y * height // 4, x * width // 4) for y in (1, 3) for x in (1, 3)]
                print(json.dumps({"size": [width, height], "colours": [pixels[place].tolist() for place in places]}))
            """
        let process = Process()
        process.executableURL = python
        process.arguments = ["-c", script, services.path] + paths
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try #require(String(bytes: output.fileHandleForReading.readDataToEndOfFile(), encoding: .utf8))
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return try text.split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    private func expectSame(_ paths: [String], tolerance: Int = 12) throws {
        let seen = try read(paths)
        try #require(seen.count == paths.count)
        for (path, answer) in zip(paths, seen) {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let pixels = try Pixels(file: path)
            let size = answer["size"]?.arrayValue?.compactMap(\.integerValue)
            #expect(size == [pixels.width, pixels.height], "\(name): \(answer)")
            let places = [1, 3].flatMap { y in [1, 3].map { x in (x * pixels.width / 4, y * pixels.height / 4) } }
            let colours = answer["colours"]?.arrayValue?.map { $0.arrayValue?.compactMap(\.integerValue) ?? [] } ?? []
            #expect(colours.count == 4)
            for ((x, y), colour) in zip(places, colours) {
                #expect(pixels.is(colour, x, y, tolerance: tolerance), "\(name): \(colour), \(pixels.colour(x, y))")
            }
        }
    }

    @Test("see every picture as farm does")
    func fixtures() throws {
        // They spread what is grey of 16 bits over all greys, and know no profile of inks.
        let names = Fixtures.names.filter { !["grey16.png", "cmyk.tiff"].contains($0) }
        let field = ["samsung_no_end.jpg", "long_orientation.jpg", "late_exif.jpg", "display_p3.jpg", "samsung.heic"]
        try expectSame((names + field).map(Fixtures.path))
        let ios18 = Fixtures.path("ios18.heic")
        if PictureLibraries.oldHEIF == nil { try expectSame([ios18]) }
        #expect(try read([ios18]).first?["size"] == [160, 120], "their libheif is their own")
    }

    @Test("turn a picture by the same rule, whatever says how it is to be turned")
    func orientations() throws {
        let photo = try Quadrants.jpeg(width: 160, height: 120)
        let scan = try #require(photo.indices.first { photo[$0...].starts(with: [0xFF, 0xDA]) })
        var pictures: [String: [UInt8]] = [:]
        for type in 1...5 {
            for isBig in [true, false] {
                pictures["type\(type)\(isBig).jpg"] = jpeg(
                    photo, with: exifSegment(orientation: 6, type: type, bigEndian: isBig))
            }
        }
        for value in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65_535] {
            pictures["value\(value).jpg"] = jpeg(photo, with: exifSegment(orientation: value))
        }
        pictures["late.jpg"] = Array(photo[..<scan]) + exifSegment(orientation: 6) + photo[scan...]
        pictures["two.jpg"] = jpeg(photo, with: exifSegment(orientation: 6) + exifSegment(orientation: 1))
        pictures["cut.jpg"] = jpeg(photo, with: [0xFF, 0xE1] + big(12, 2) + Array("Exif\0\0MM\0*".utf8))
        // XMP says otherwise; EXIF decides.
        let xmp = Array(
            """
            http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF \
            xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description \
            xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>
            """.utf8)
        pictures["xmp.jpg"] = jpeg(photo, with: [0xFF, 0xE1] + big(xmp.count + 2, 2) + xmp)
        let png = try Quadrants.png(width: 160, height: 120)
        for (type, value) in [(3, 6), (4, 6), (3, 0)] {
            // Behind the segment's head and the mark of EXIF in JPEG.
            let exif = Array(exifSegment(orientation: value, type: type).dropFirst(10))
            pictures["type\(type)value\(value).png"] = png.prefix(33) + chunk("eXIf", exif) + png.dropFirst(33)
        }
        let paths = try pictures.sorted { $0.key < $1.key }.map { try folder.write($0.value, as: $0.key) }
        try expectSame(paths)
    }

    /// A chunk of PNG.
    private func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let checked = Array(type.utf8) + content
        let checksum = ~checked.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 0 ? sum >> 1 : 0xEDB8_8320 ^ sum >> 1 }
        }
        return big(content.count, 4) + checked + big(Int(checksum), 4)
    }

    @Test("refuse camera raw and what is damaged, as farm does")
    func refused() throws {
        let cut = try folder.write(Array(try Fixtures.bytes("plain.png").dropLast(60)), as: "cut.png")
        // A mark, a name with bytes of any TIFF file, a name with bytes of no picture.
        let canon = try folder.write(Array("\0\0\0\u{18}ftypcrx \0\0\0\u{1}crx isom".utf8), as: "photo.jpg")
        let named = try folder.write(try Fixtures.bytes("plain.tiff"), as: "DSC_1.NEF")
        let unknown = try folder.write(Array("unknown".utf8), as: "a.3fr")
        let raw = [Fixtures.path("raw.dng"), Fixtures.path("raw.cr2"), canon, named, unknown]
        let paths = raw + [cut]
        let seen = try read(paths)
        try #require(seen.count == paths.count)
        for (path, answer) in zip(paths, seen) {
            let reason = answer["refused"]?.stringValue
            #expect(reason?.contains("camera raw") == raw.contains(path), "\(path): \(answer)")
        }
        for path in paths { #expect(throws: PictureFault.self) { try StoredPicture(.file(path)).decode() } }
    }
}
