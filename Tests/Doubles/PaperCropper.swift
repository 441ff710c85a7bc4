import Model
import Pictures
import Pipeline
import Synchronization

/// A test double of the cropper: every picture is a JPEG of 1000 × 1000 unless it is said to be something else; a crop's
/// bytes name its place.
public final class PaperCropper: ImageCropper {
    private let unreadable: Set<String>
    private let formats: [String: PictureFormat]
    private let widest: Double
    private let decoded = Mutex(0)

    /// - Parameters:
    ///   - unreadable: paths of pictures that are not there.
    ///   - formats: of pictures that are no JPEG, by their paths.
    ///   - widest: boxes that are wider fail.
    package init(unreadable: Set<String> = [], formats: [String: PictureFormat] = [:], widest: Double = .infinity) {
        self.unreadable = unreadable
        self.formats = formats
        self.widest = widest
    }

    /// How many pictures were decoded.
    public var decodes: Int { decoded.withLock { $0 } }

    /// Every picture has the same header.
    public func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader {
        if case .file(let path) = picture, unreadable.contains(path) {
            throw PictureFault(.image, "\(path): no such file")
        }
        let format = if case .file(let path) = picture { formats[path] } else { nil as PictureFormat? }
        return PictureHeader(format: format ?? .jpeg, width: 1000, height: 1000, bytes: 1)
    }

    /// Cuts paper.
    public func crop(_ picture: PictureSource, to boxes: [Box], quality: Int) async throws(PictureFault) -> Crops {
        _ = try await inspect(picture)
        decoded.withLock { $0 += 1 }
        let faults = boxes.enumerated().filter { $1.width > widest && PaperCropper.area(of: $1) != nil }.map {
            ($0.offset, PictureFault(.image, "too wide"))
        }
        let crops = boxes.map { box -> Crop? in
            guard box.width <= widest, let area = PaperCropper.area(of: box) else { return nil }
            return Crop(jpeg: Array("\(area.x),\(area.y)".utf8), area: area)
        }
        return Crops(width: 1000, height: 1000, crops: crops, faults: Dictionary(uniqueKeysWithValues: faults))
    }
}

extension PaperCropper {
    /// The whole pixels of the picture that a box touches.
    private static func area(of box: Box) -> Box? {
        guard [box.x, box.y, box.width, box.height].allSatisfy(\.isFinite), box.width > 0, box.height > 0 else {
            return nil
        }
        let (left, top) = (max(0, box.x.rounded(.down)), max(0, box.y.rounded(.down)))
        let right = min(1000, (box.x + box.width).rounded(.up))
        let bottom = min(1000, (box.y + box.height).rounded(.up))
        guard left < right, top < bottom else { return nil }
        return Box(x: left, y: top, width: right - left, height: bottom - top)
    }
}

/// A test double of the fetcher: pictures by URL; any other URL answers 404.
public struct ShelfFetcher: PictureFetcher {
    private let pictures: [String: [UInt8]]

    package init(_ pictures: [String: [UInt8]] = [:]) { self.pictures = pictures }

    /// Takes the picture from the shelf.
    public func fetch(_ url: String) async throws(PictureFault) -> [UInt8] {
        guard let picture = pictures[url] else { throw PictureFault(.image, "\(url) answered 404") }
        return picture
    }

    /// All are on one shelf.
    public func source(of url: String) -> String { "http://shelf" }

    /// It is there.
    public func answers(_ source: String) async -> Bool { true }
}
