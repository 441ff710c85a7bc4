import Doubles
import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("An annotated picture")
struct AnnotatorTests {
    let annotator = Annotator()
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func grey(width: Int, height: Int) throws -> PictureSource {
        let pixels = try PixelBuffer(width: width, height: height)
        pixels.bytes.initialize(repeating: 90, count: pixels.bytesPerRow * height)
        return .bytes(try Vips(for: "PNG").encode(pixels, as: .png, quality: 90))
    }

    private func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ label: String = "person")
        -> AnnotatedBox
    {
        AnnotatedBox(box: Box(x: x, y: y, width: width, height: height), label: label, score: 0.97)
    }

    @Test(
        "is written in the format of its extension, with boxes in their labels' colours",
        arguments: ["JPG", "jpeg", "png", "webp"])
    func formats(name: String) async throws {
        let path = folder.file("out." + name)
        let boxes = [box(100, 80, 200, 150), box(340, 60, 50, 200, "dog")]
        try await annotator.annotate(try grey(width: 400, height: 300), boxes: boxes, to: path)
        let format = try await PictureCropper(parallelism: 1).inspect(.file(path)).format
        #expect(format == (name == "JPG" || name == "jpeg" ? .jpeg : PictureFormat(rawValue: name)))
        let pixels = try Pixels(file: path)
        let (person, dog) = (labelColour("person").components, labelColour("dog").components)
        #expect(person != dog)
        for (x, y) in [(100, 200), (299, 100), (200, 229)] { #expect(pixels.is(person, x, y, tolerance: 70)) }
        for (x, y) in [(340, 200), (389, 150)] { #expect(pixels.is(dog, x, y, tolerance: 70)) }
        #expect(pixels.is([90, 90, 90], 200, 150))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out." + name])
    }

    @Test("has lines in proportion to its size", arguments: [(300, 1), (1_000, 3), (4_000, 12)])
    func proportion(width: Int, line: Int) async throws {
        let path = folder.file("out.png")
        let unit = Double(width) / 100
        try await annotator.annotate(
            try grey(width: width, height: width / 5), boxes: [box(20 * unit, 8 * unit, 60 * unit, 10 * unit)], to: path
        )
        let pixels = try Pixels(file: path)
        let row = 14 * width / 100
        let coloured = (0..<width / 2).filter { pixels.is(labelColour("person").components, $0, row, tolerance: 0) }
        #expect(coloured == Array(20 * width / 100..<20 * width / 100 + line))
    }

    @Test("has a readable label in a bar above the box")
    func label() async throws {
        let path = folder.file("out.png")
        try await annotator.annotate(try grey(width: 1_000, height: 500), boxes: [box(300, 200, 300, 200)], to: path)
        let pixels = try Pixels(file: path)
        let scale = DrawingScale(width: 1_000, height: 500)
        let rows = 200 - scale.barHeight..<200
        #expect(pixels.is(labelColour("person").components, 301, rows.lowerBound, tolerance: 0))
        #expect(pixels.is([90, 90, 90], 301, rows.lowerBound - 1))
        let ink = rows.flatMap { y in (300..<500).filter { pixels.is([0, 0, 0], $0, y) }.map { (x: $0, y: y) } }
        #expect(ink.count > 200)
        let (first, last) = (ink.map(\.x).min() ?? 0, ink.map(\.x).max() ?? 0)
        #expect(first >= 300 + scale.padding && last - first > 5 * scale.text && last - first < 8 * scale.text)
    }

    @Test("stands upright, as its boxes do")
    func upright() async throws {
        let picture = jpeg(try Quadrants.jpeg(width: 320, height: 192), with: exifSegment(orientation: 6))
        let path = folder.file("out.png")
        try await annotator.annotate(.bytes(picture), boxes: [box(20, 200, 40, 60)], to: path)
        let pixels = try Pixels(file: path)
        #expect((pixels.width, pixels.height) == (192, 320))
        #expect(pixels.is(Quadrants.blue, 10, 10) && pixels.is(Quadrants.green, 180, 310))
        #expect(pixels.is(labelColour("person").components, 20, 230, tolerance: 0))
    }

    @Test("shows any label and any box, or leaves the box out when it is outside")
    func strangeBoxes() async throws {
        let labels = [
            "<b>bold & \"quoted\"</i>", "a\nb\tc\0d\u{1}", "", "犬 🐶 \u{202E}x", String(repeating: "long ", count: 500),
        ]
        let boxes =
            labels.map { box(50, 50, 60, 60, $0) } + [
                box(-50, -50, 80, 80), box(390, 290, 1e300, 1e300), box(.nan, 0, 5, 5), box(900, 0, 5, 5),
                AnnotatedBox(box: Box(x: 0, y: 0, width: 0.1, height: 0.1), label: "dot", score: .nan),
                AnnotatedBox(box: Box(x: 5, y: 5, width: 2, height: 300), label: "line", score: .infinity),
            ]
        try await annotator.annotate(try grey(width: 400, height: 300), boxes: boxes, to: folder.file("out.png"))
        try await annotator.annotate(try grey(width: 3, height: 2), boxes: boxes, to: folder.file("tiny.png"))
        #expect(try Pixels(file: folder.file("out.png")).width == 400)
        #expect(try Pixels(file: folder.file("tiny.png")).width == 3)
        #expect(
            labelMarkup(AnnotatedBox(box: Box(x: 0, y: 0, width: 1, height: 1), label: "<a&\n", score: 0.5))
                == "&lt;a&amp;  0.50")
        #expect(
            labelMarkup(
                AnnotatedBox(box: Box(x: 0, y: 0, width: 1, height: 1), label: "<\u{338}b>\u{202E}", score: 0.5))
                == "&lt;\u{338}b&gt;  0.50", "an accent on it makes no other character of it")
    }

    @Test("is not written under an extension that is no known picture's")
    func unknownExtension() async throws {
        for name in ["out.gif", "out", "jpg", ".hidden"] {
            let picture = try grey(width: 30, height: 20)
            let fault = await #expect(throws: PictureFault.self) {
                try await annotator.annotate(picture, boxes: [], to: folder.file(name))
            }
            #expect(fault?.message == "\(folder.file(name)): a picture can be written as .jpg, .jpeg, .png, .webp")
        }
    }

    @Test("leaves what stood at its path when it cannot be made")
    func atomic() async throws {
        let path = try folder.write([1, 2, 3], as: "old.png")
        let fault = await #expect(throws: PictureFault.self) {
            try await annotator.annotate(.file(folder.file("none.jpg")), boxes: [], to: path, replacesAny: true)
        }
        #expect(fault?.message.contains("none.jpg: cannot be read") == true)
        #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))

        let picture = try grey(width: 30, height: 20)
        let lost = await #expect(throws: PictureFault.self) {
            try await annotator.annotate(picture, boxes: [], to: folder.file("no/such/out.png"))
        }
        #expect(lost?.message.hasSuffix("no/such/out.png: cannot be written: No such file or directory") == true)
        try FileManager.default.createDirectory(atPath: folder.file("taken.png"), withIntermediateDirectories: true)
        await #expect(throws: PictureFault.self) {
            try await annotator.annotate(picture, boxes: [], to: folder.file("taken.png"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["old.png", "taken.png"])
    }

    @Test("has bars that lie in it and not on each other where there is room")
    func bars() {
        let boxes = [
            PixelArea(x: 10, y: 0, width: 200, height: 150), PixelArea(x: 12, y: 2, width: 190, height: 140),
            PixelArea(x: 300, y: 100, width: 99, height: 30), PixelArea(x: 350, y: 101, width: 49, height: 30),
        ]
        var layout = LabelLayout(width: 400, height: 300, boxes: boxes)
        let bars = boxes.map { layout.place(width: 80, height: 20, for: $0) }
        for (index, bar) in bars.enumerated() {
            #expect(bar.x >= 0 && bar.y >= 0 && bar.x + bar.width <= 400 && bar.y + bar.height <= 300)
            for other in bars[..<index] { #expect(bar.box.intersectionOverUnion(other.box) == 0) }
        }
        #expect(bars[2].y == 80)
    }

    @Test("keeps the commonest labels apart by colour, and writes on each in black or white")
    func colours() {
        let common = [
            "person", "face", "car", "dog", "cat", "bicycle", "bus", "truck", "chair", "bottle", "cup", "bird",
        ]
        #expect(Set(common.map { labelColour($0).components }).count == common.count)
        #expect(Colour(0xFFE119).readableText == .black)
        #expect(Colour(0x4363D8).readableText == .white)
    }
}
