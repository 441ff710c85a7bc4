import Pictures
import Pipeline

/// Cuts areas out of a picture whose rows come one after another. If the picture is stored upright, each row is encoded
/// as it comes. Otherwise the rows of an area are kept until the area can be turned.
final class RowCutter {
    /// An area of which some rows have come.
    private struct Cut {
        enum Rows {
            case encoded(JPEGEncoder)
            case kept(PixelBuffer)
        }

        /// Its place among the crops.
        let place: Int
        /// Where it is in the stored picture.
        let area: PixelArea
        let rows: Rows

        var lastRow: Int { area.y + area.height - 1 }
    }

    private let orientation: Orientation
    private let quality: Int
    private let profile: ColourProfile?
    /// Sorted by their first rows, the last ones first.
    private var waiting: [(place: Int, area: PixelArea)]
    private var coming: [Cut] = []
    /// The crops, when all rows have come.
    private(set) var crops: [EncodedArea]

    /// - Parameters:
    ///   - areas: areas of the upright picture, in the order of the crops.
    ///   - width: the width of the stored picture, in pixels; `height` likewise.
    init(
        _ areas: [PixelArea?], width: Int, height: Int, _ orientation: Orientation, quality: Int,
        profile: ColourProfile?
    ) {
        self.orientation = orientation
        self.quality = quality
        self.profile = profile
        crops = areas.map { _ in .outside }
        waiting = areas.enumerated().compactMap { place, area in
            area.map { (place, orientation.stored($0, width: width, height: height)) }
        }.sorted { $0.area.y > $1.area.y }
    }

    /// Takes the next row of the picture, three bytes for each pixel. An area that fails is given up, and the others go
    /// on.
    func take(_ row: UnsafePointer<UInt8>, _ y: Int) {
        while let next = waiting.last, next.area.y <= y {
            waiting.removeLast()
            attempt(next.place) { () throws(PictureFault) in
                coming.append(Cut(place: next.place, area: next.area, rows: try rows(of: next.area)))
            }
        }
        for cut in coming {
            let part = row + cut.area.x * PixelBuffer.bytesPerPixel
            switch cut.rows {
            case .encoded(let encoder): attempt(cut.place) { () throws(PictureFault) in try encoder.take(part) }
            case .kept(let pixels): pixels.pixel(x: 0, y: y - cut.area.y).update(from: part, count: pixels.bytesPerRow)
            }
        }
        // Each one is released before the next one's JPEG is made.
        while let last = coming.firstIndex(where: { $0.lastRow == y }) {
            let cut = coming.remove(at: last)
            attempt(cut.place) { () throws(PictureFault) in crops[cut.place] = .jpeg(try end(cut)) }
        }
    }

    private func attempt(_ place: Int, _ work: () throws(PictureFault) -> Void) {
        do throws(PictureFault) { try work() } catch {
            crops[place] = .failed(error)
            coming.removeAll { $0.place == place }
        }
    }

    private func rows(of area: PixelArea) throws(PictureFault) -> Cut.Rows {
        orientation == .upright
            ? .encoded(try JPEGEncoder(width: area.width, height: area.height, quality: quality, profile: profile))
            : .kept(try PixelBuffer(width: area.width, height: area.height))
    }

    private func end(_ cut: Cut) throws(PictureFault) -> [UInt8] {
        switch cut.rows {
        case .encoded(let encoder): return try encoder.finish()
        case .kept(let pixels):
            let part = DecodedPicture(stored: pixels, orientation: orientation, profile: profile)
            return try part.encode(PixelArea(x: 0, y: 0, width: part.width, height: part.height), quality: quality)
        }
    }
}

extension Orientation {
    /// Where an area of the upright picture is in the stored one, which has this size.
    fileprivate func stored(_ area: PixelArea, width: Int, height: Int) -> PixelArea {
        var stored = area
        if swapsAxes { stored = PixelArea(x: area.y, y: area.x, width: area.height, height: area.width) }
        if reversesX { stored.x = width - stored.x - stored.width }
        if reversesY { stored.y = height - stored.y - stored.height }
        return stored
    }
}
