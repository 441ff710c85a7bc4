import Model
import Pipeline
import Synchronization

/// A test double of the cropper: every picture is 1000 × 1000 unless it is said to be unreadable; a crop's bytes name
/// its box.
public final class PaperCropper: ImageCropper {
    private let unreadable: Set<String>
    private let decoded = Mutex(0)

    package init(unreadable: Set<String> = []) { self.unreadable = unreadable }

    /// How many pictures were decoded.
    public var decodes: Int { decoded.withLock { $0 } }

    /// Every picture has the same header.
    public func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader {
        if case .file(let path) = picture, unreadable.contains(path) {
            throw PictureFault(.image, "\(path): no such file")
        }
        return PictureHeader(format: .jpeg, width: 1000, height: 1000, bytes: 1)
    }

    /// Cuts paper.
    public func crop(_ picture: PictureSource, to boxes: [Box], quality: Int) async throws(PictureFault) -> Crops {
        _ = try await inspect(picture)
        decoded.withLock { $0 += 1 }
        let crops = boxes.map { box -> Crop? in
            guard box.x < 1000, box.y < 1000, box.x + box.width > 0, box.y + box.height > 0 else { return nil }
            return Crop(jpeg: Array("\(box.x),\(box.y)".utf8), area: box)
        }
        return Crops(width: 1000, height: 1000, crops: crops)
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
