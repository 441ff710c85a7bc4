import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("A crop")
struct CropTests {
    let cropper = PictureCropper(parallelism: 2)

    @Test("is the pixels that a box touches, clamped to the picture")
    func clamping() {
        var generator = SeededGenerator(seed: 0xC10)
        for _ in 0..<20_000 {
            let (width, height) = (Int.random(in: 1...60, using: &generator), Int.random(in: 1...60, using: &generator))
            func coordinate(_ range: ClosedRange<Double>) -> Double {
                let value = Double.random(in: range, using: &generator)
                return Bool.random(using: &generator) ? value.rounded() : value
            }
            let box = Box(
                x: coordinate(-90...90), y: coordinate(-90...90), width: coordinate(-5...90),
                height: coordinate(-5...90))
            let outside =
                box.width <= 0 || box.height <= 0 || box.x >= Double(width) || box.y >= Double(height)
                || box.x + box.width <= 0 || box.y + box.height <= 0
            guard let area = PixelArea(box, in: (width, height)) else {
                #expect(outside, "\(box) in \(width) × \(height)")
                continue
            }
            #expect(!outside, "\(box) in \(width) × \(height)")
            #expect(area.x >= 0 && area.y >= 0 && area.width >= 1 && area.height >= 1)
            #expect(area.x + area.width <= width && area.y + area.height <= height)
            #expect(Double(area.x) == max(0, box.x.rounded(.down)))
            #expect(Double(area.y + area.height) == min(Double(height), (box.y + box.height).rounded(.up)))
        }
    }

    @Test("of a box that is none, or wholly outside, is nil")
    func noBox() {
        for bad in [Double.nan, .infinity, -.infinity, .signalingNaN] {
            #expect(PixelArea(Box(x: bad, y: 0, width: 5, height: 5), in: (10, 10)) == nil)
            #expect(PixelArea(Box(x: 0, y: 0, width: 5, height: bad), in: (10, 10)) == nil)
        }
        #expect(PixelArea(Box(x: 10, y: 0, width: 5, height: 5), in: (10, 10)) == nil)
        #expect(PixelArea(Box(x: -5, y: 0, width: 5, height: 5), in: (10, 10)) == nil)
        #expect(PixelArea(Box(x: 0, y: 0, width: 0, height: 5), in: (10, 10)) == nil)
        #expect(PixelArea(Box(x: 1e300, y: 0, width: 1e300, height: 5), in: (10, 10)) == nil)
    }

    @Test("of a huge box is the whole picture, of a tiny one a pixel")
    func extremes() {
        let huge = Double.greatestFiniteMagnitude
        let whole = PixelArea(Box(x: -1e300, y: -1, width: huge, height: huge), in: (10, 8))
        #expect(whole == PixelArea(x: 0, y: 0, width: 10, height: 8))
        let tiny = PixelArea(Box(x: 9, y: 7, width: 1e-300, height: 1e-300), in: (10, 8))
        #expect(tiny == PixelArea(x: 9, y: 7, width: 1, height: 1))
    }

    @Test("stands in the order of the boxes, nil where a box is outside")
    func order() async throws {
        let picture = PictureSource.bytes(try Quadrants.jpeg(width: 64, height: 48))
        let boxes = [
            Box(x: 40.5, y: 30.5, width: 100, height: 4), Box(x: 64, y: 0, width: 5, height: 5),
            Box(x: 1, y: 1, width: 0.5, height: 0.5), Box(x: .nan, y: 1, width: 5, height: 5),
        ]
        let crops = try await cropper.crop(picture, to: boxes, quality: 90)
        #expect(
            crops.crops.map { $0?.area } == [
                Box(x: 40, y: 30, width: 24, height: 5), nil, Box(x: 1, y: 1, width: 1, height: 1), nil,
            ])
        let first = try Pixels(jpeg: try #require(crops.crops[0]).jpeg)
        #expect((first.width, first.height) == (24, 5))
        #expect(first.is(Quadrants.yellow, 12, 2))
        let second = try Pixels(jpeg: try #require(crops.crops[2]).jpeg)
        #expect((second.width, second.height) == (1, 1))
    }

    @Test("is a JPEG with quartered chroma, smaller at a lower quality; a quality out of range is clamped")
    func encoding() async throws {
        let picture = PictureSource.file(Fixtures.photos + "/china.jpg")
        let box = Box(x: 10, y: 10, width: 200, height: 200)
        func bytes(_ quality: Int) async throws -> [UInt8] {
            try #require(try await cropper.crop(picture, to: [box], quality: quality).crops[0]).jpeg
        }
        let usual = try await bytes(90)
        let frame = try #require(usual.indices.first { usual[$0...].starts(with: [0xFF, 0xC0]) })
        #expect(usual[frame + 11] == 0x22)
        #expect(try await bytes(40).count < usual.count)
        #expect(try await bytes(-3) == bytes(1))
        #expect(try await bytes(1_000) == bytes(100))
    }

    @Test("shows the picture's colours, whatever its format", arguments: Fixtures.names)
    func formats(name: String) async throws {
        guard !name.hasPrefix("turned.") else { return }
        let crops = try await cropper.crop(
            .file(Fixtures.path(name)), to: [Box(x: 0, y: 0, width: 99, height: 99)], quality: 95)
        let pixels = try Pixels(jpeg: try #require(crops.crops[0]).jpeg)
        let (left, right, top, bottom) = (4, pixels.width - 5, 4, pixels.height - 5)
        switch name {
        case "grey.jpg":
            #expect(pixels.is([87, 87, 87], left, top) && pixels.is([202, 202, 202], right, bottom))
        case "grey16.png":
            #expect(pixels.is([0x40, 0x40, 0x40], left, top) && pixels.is([0xC0, 0xC0, 0xC0], right, bottom))
        default:
            // What is transparent lies on white; CMYK in TIFF goes through a profile of a press.
            let tolerance = name == "cmyk.tiff" ? 100 : 30
            let corner = name == "alpha.png" ? [255, 255, 255] : Quadrants.red
            #expect(pixels.is(corner, left, top, tolerance: tolerance), "\(pixels.colour(left, top))")
            #expect(pixels.is(Quadrants.green, right, top, tolerance: tolerance), "\(pixels.colour(right, top))")
            #expect(pixels.is(Quadrants.blue, left, bottom, tolerance: tolerance), "\(pixels.colour(left, bottom))")
            #expect(pixels.is(Quadrants.yellow, right, bottom, tolerance: tolerance), "\(pixels.colour(right, bottom))")
        }
    }

    @Test(
        "is the same by rows as of the decoded picture, however that is turned",
        arguments: ["china.jpg", "flower.jpg", "rocket.jpg", "coffee_exif_gps.jpg"], 1...8)
    func byRows(name: String, orientation: Int) throws {
        var generator = SeededGenerator(seed: UInt64(orientation))
        let photo = try PictureSource.file(Fixtures.photos + "/" + name).load()
        let picture = try StoredPicture(.bytes(jpeg(photo, with: exifSegment(orientation: orientation))))
        let decoded = try picture.decode()
        // One in four reaches beyond an edge; all together they are less than the picture.
        let boxes = (0..<12).map { _ in
            Box(
                x: .random(in: -20...Double(decoded.width), using: &generator),
                y: .random(in: -20...Double(decoded.height), using: &generator),
                width: .random(in: 0...Double(decoded.width / 4), using: &generator),
                height: .random(in: 0...Double(decoded.height / 4), using: &generator))
        }
        let areas = boxes.map { PixelArea($0, in: (decoded.width, decoded.height)) }
        try #require(areas.reduce(0) { $0 + ($1?.pixels ?? 0) } < decoded.width * decoded.height)
        let crops = try picture.crops(of: boxes, quality: 90)
        #expect((crops.width, crops.height) == (decoded.width, decoded.height))
        #expect(crops.crops.map { $0?.jpeg } == decoded.crops(of: areas, quality: 90).map(\.jpeg))
        #expect(crops.crops.map { $0?.area } == areas.map { $0?.box })
    }

    @Test("of the whole picture, and a hundred times, is made as well", arguments: [1, 6])
    func wholes(orientation: Int) throws {
        let photo = try PictureSource.file(Fixtures.photos + "/china.jpg").load()
        let picture = try StoredPicture(.bytes(jpeg(photo, with: exifSegment(orientation: orientation))))
        let decoded = try picture.decode()
        let whole = PixelArea(x: 0, y: 0, width: decoded.width, height: decoded.height)
        let jpeg = try decoded.encode(whole, quality: 90)
        for count in [1, 2, 100] {
            let boxes = [Box](repeating: Box(x: 0, y: 0, width: 1e6, height: 1e6), count: count)
            let crops = try picture.crops(of: boxes, quality: 90).crops
            #expect(crops.count == count && crops.allSatisfy { $0?.jpeg == jpeg })
        }
    }

    @Test("that is given up in the middle gives back its memory, once")
    func givenUp() throws {
        var generator = SeededGenerator(seed: 7)
        let row = (0..<6000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for _ in 0..<50 {
            // More rows than fit into libjpeg's first piece of memory, and fewer than the picture has.
            let encoder = try JPEGEncoder(width: 2000, height: 2000, quality: 95)
            for _ in 0..<100 { try row.withUnsafeBufferPointer { try encoder.take(try #require($0.baseAddress)) } }
        }
    }

    @Test("is the same when many are made at once")
    func parallel() async throws {
        let names = ["china.jpg", "astronaut.png", "coffee_exif_gps.jpg", "astronaut.webp"]
        let boxes = [Box(x: 20, y: 30, width: 100, height: 80), Box(x: 200, y: 100, width: 150, height: 200)]
        var alone: [String: [Crop?]] = [:]
        for name in names {
            alone[name] = try await cropper.crop(.file(Fixtures.photos + "/" + name), to: boxes, quality: 90).crops
        }
        try await withThrowingTaskGroup(of: (String, [Crop?]).self) { group in
            for name in names + names + names {
                group.addTask {
                    (name, try await cropper.crop(.file(Fixtures.photos + "/" + name), to: boxes, quality: 90).crops)
                }
            }
            for try await (name, crops) in group { #expect(crops == alone[name]) }
        }
    }

    @Test("is not made of half a picture, though needless bytes between its segments are the first thing that is odd")
    func extraneousBytesFirst() async throws {
        let photo = try PictureSource.file(Fixtures.photos + "/china.jpg").load()
        let padded = jpeg(photo, with: [0xFF, 0xFE, 0, 3, 9, 0, 0, 0, 0])
        for half in [padded.prefix(padded.count / 2), padded.prefix(padded.count / 2) + [0xFF, 0xD9]] {
            let fault = await #expect(throws: PictureFault.self) {
                try await cropper.crop(.bytes(Array(half)), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
            }
            #expect(fault?.message.contains("premature end") == true, "\(fault?.message ?? "")")
        }
        let half = Array(padded.prefix(padded.count / 2))
        await #expect(throws: PictureFault.self) { try await cropper.inspect(.bytes(half)) }
    }

    @Test("is made although a camera wrote needless bytes between the segments")
    func extraneousBytes() async throws {
        let bytes = try Quadrants.jpeg(width: 64, height: 48)
        let padded = jpeg(bytes, with: [0xFF, 0xFE, 0, 3, 9, 0, 0, 0, 0]) + [1, 2, 3, 4]
        let crops = try await cropper.crop(.bytes(padded), to: [Box(x: 0, y: 0, width: 9, height: 9)], quality: 90)
        #expect(crops.crops[0] != nil)
    }

    @Test("that cannot be made fails alone, and says why")
    func failsAlone() async throws {
        // No JPEG is over 65,500 pixels wide.
        let strip = PictureSource.bytes(try Quadrants.png(width: 70_000, height: 16))
        let boxes = [
            Box(x: 0, y: 0, width: 70_000, height: 16), Box(x: 10, y: 2, width: 8, height: 8),
            Box(x: 0, y: 90, width: 5, height: 5),
        ]
        let crops = try await cropper.crop(strip, to: boxes, quality: 90)
        #expect(crops.crops.map { $0?.area } == [nil, boxes[1], nil])
        #expect(crops.faults.keys.sorted() == [0])
        #expect(crops.faults[0]?.message.contains("70000 × 16 pixels cannot be encoded as JPEG") == true)
    }

    @Test("out of rows fails alone, too")
    func failsAloneOutOfRows() throws {
        let areas = [PixelArea(x: 0, y: 0, width: 70_000, height: 4), PixelArea(x: 5, y: 1, width: 8, height: 2)]
        let cutter = RowCutter(areas, width: 70_000, height: 4, .upright, quality: 90, profile: nil)
        let row = [UInt8](repeating: 90, count: 210_000)
        for y in 0..<4 { cutter.take(row, y) }
        guard case .failed(let fault) = cutter.crops[0], case .jpeg = cutter.crops[1] else {
            Issue.record("\(cutter.crops.map { if case .failed(let fault) = $0 { fault.message } else { "cut" } })")
            return
        }
        #expect(fault.kind == .image)
    }

    @Test("for which there is no memory is a fault, not the end of the process")
    func noMemory() {
        // Two to the power of 50 bytes are more than a process can address.
        let fault = #expect(throws: PictureFault.self) { try PixelBuffer(width: 1 << 25, height: 1 << 25) }
        #expect(fault?.message.contains("there is no memory for 33554432 × 33554432 pixels") == true)
        #expect(!PixelBuffer.hasRoom(width: 1 << 25, height: 1 << 25))
    }
}
