import Model
import Pictures
import Pipeline

@testable import Imaging

/// The bytes of a picture, and what is drawn into one.
extension EntryPoint {
    private static let pictures = "ImagingTests/Fixtures"

    /// What is read before anything is decoded.
    static let pictureHeader = EntryPoint(name: "picture_header", longest: 8192, fixtures: pictures) { input in
        guard let header = try header(of: input) else { return }
        var reader = HeaderReader(input)
        _ = try? reader.seemsWhole(header.format)
    }

    /// All formats, decoded and cut. What says of itself that it has over a megapixel is not: up to the limit of 100
    /// that takes seconds and is meant to (BombTests have such pictures).
    static let picture = EntryPoint(name: "picture", inputs: 100_000, longest: 8192, fixtures: pictures) { input in
        guard let header = try header(of: input), header.width * header.height <= 1_000_000 else { return }
        // The frame of a GIF may lie outside its screen: libvips takes a picture that holds both.
        let decodedSize = try reading { () throws(PictureFault) in try PictureSource.bytes(input).uprightSize() }
        if let decodedSize, decodedSize.width * decodedSize.height > 1_000_000 { return }
        let (width, height) = (Double(header.width), Double(header.height))
        let small = [
            Box(x: width - 1, y: height - 1, width: 1, height: 1),
            Box(x: width / 3, y: height / 3, width: 0.01, height: height),
        ]
        let boxes = [Box(x: -1e9, y: -1e9, width: 2e9, height: 2e9)] + small
        let crops = try reading { () throws(PictureFault) in
            try StoredPicture(.bytes(input)).crops(of: boxes, quality: 90).crops
        }
        // Out of the picture, where the above is out of its rows, if it is an upright JPEG.
        let whole = try reading { () throws(PictureFault) in
            let decoded = try StoredPicture(.bytes(input)).decode()
            let areas = boxes.map { PixelArea($0, in: (decoded.width, decoded.height)) }
            return decoded.crops(of: areas, quality: 90).map(\.jpeg)
        }
        for crop in crops ?? [] {
            try promise(crop?.jpeg.starts(with: [0xFF, 0xD8]) != false, "a crop that is no JPEG")
        }
        // What libheif makes of a damaged picture is not the same twice.
        guard header.format == .jpeg else { return }
        try promise(crops?.map { $0?.jpeg } == whole, "cut otherwise out of rows than out of the picture")
    }

    /// EXIF data.
    static let exif = EntryPoint(name: "exif") { input in
        for data in [input, Array("Exif\0\0".utf8) + input] {
            _ = data.withUnsafeBufferPointer { Orientation(exifData: $0) }
        }
    }

    /// A label, as a service names it, as the markup that is drawn; one in ten, which makes as many pictures as of the other
    /// kind, is drawn.
    static let label = EntryPoint(name: "label", longest: 512) { input in
        let label = String(decoding: input, as: UTF8.self)
        let box = AnnotatedBox(box: Box(x: 5, y: 5, width: 30, height: 30), label: label, score: 0.5)
        let markup = labelMarkup(box)
        try promise(markup.isPlain, "a label that steers the terminal: \(markup)")
        try promise(!markup.unicodeScalars.contains { $0 == "<" || $0 == ">" }, "markup of the label's own: \(markup)")
        try promise(markup.unicodeScalars.count <= 60 * 5 + 5, "\(markup.unicodeScalars.count) scalars")
        guard input.reduce(0, &+) % 10 == 0 else { return }
        let canvas = Canvas(pixels: try PixelBuffer(width: 64, height: 48))
        canvas.fill(PixelArea(x: 0, y: 0, width: 64, height: 48), .white)
        let drawn = Result { () throws(PictureFault) in try canvas.draw([box]) }
        if case .failure(let fault) = drawn { throw Broken(description: "not drawn: \(fault.message)") }
    }

    private static func header(of input: [UInt8]) throws -> PictureHeader? {
        let header = try reading { () throws(PictureFault) in
            var reader = HeaderReader(input)
            return try PictureHeader(&reader)
        }
        guard let header else { return nil }
        let size = "\(header.width) × \(header.height) pixels"
        try promise(header.width > 0 && header.height > 0, size)
        try promise(header.width * header.height <= PictureLimits.pixels, size)
        return header
    }

    /// nil for a picture that is refused.
    private static func reading<Value>(_ read: () throws(PictureFault) -> Value) throws -> Value? {
        switch Result(catching: read) {
        case .success(let value): return value
        case .failure(let fault):
            try promise(fault.message.isPlain, "a fault that steers the terminal: \(fault.message)")
            return nil
        }
    }
}
