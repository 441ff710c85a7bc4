import Pipeline

/// Cuts areas out of a picture whose rows come one after another. Of an upright picture each row is encoded as it comes;
/// of another those of an area are kept until it can be turned.
final class RowCutter {
    /// An area whose rows are coming.
    private struct Cut {
        enum Rows {
            case encoded(JPEGEncoder)
            case kept(PixelBuffer)
        }

        /// Which of the crops.
        let place: Int
        /// Where it lies in the picture as stored.
        let area: PixelArea
        let rows: Rows

        var lastRow: Int { area.y + area.height - 1 }
    }

    private let orientation: Orientation
    private let quality: Int
    /// By their first rows, the last ones first.
    private var waiting: [(place: Int, area: PixelArea)]
    private var coming: [Cut] = []
    private var encoded: [[UInt8]?]
    private var fault: PictureFault?

    /// - Parameters:
    ///   - areas: of the upright picture, in the order of the crops.
    ///   - width: of the picture as stored, in pixels, as is `height`.
    init(_ areas: [PixelArea?], width: Int, height: Int, _ orientation: Orientation, quality: Int) {
        self.orientation = orientation
        self.quality = quality
        encoded = areas.map { _ in nil }
        waiting = areas.enumerated().compactMap { place, area in
            area.map { (place, orientation.stored($0, width: width, height: height)) }
        }.sorted { $0.area.y > $1.area.y }
    }

    /// The crops, when all rows have come; nil where there is no area.
    /// - Throws: `image` for one that does not become a JPEG.
    func crops() throws(PictureFault) -> [[UInt8]?] {
        if let fault { throw fault }
        return encoded
    }

    /// Takes the next row of the picture, three bytes a pixel. What goes wrong `crops` tells.
    func take(_ row: UnsafePointer<UInt8>, _ y: Int) {
        guard fault == nil else { return }
        do { try cut(row, y: y) } catch { fault = error }
    }

    private func cut(_ row: UnsafePointer<UInt8>, y: Int) throws(PictureFault) {
        while let next = waiting.last, next.area.y <= y {
            waiting.removeLast()
            coming.append(Cut(place: next.place, area: next.area, rows: try rows(of: next.area)))
        }
        for cut in coming {
            let part = row + cut.area.x * PixelBuffer.bytesPerPixel
            switch cut.rows {
            case .encoded(let encoder): try encoder.take(part)
            case .kept(let pixels): pixels.pixel(x: 0, y: y - cut.area.y).update(from: part, count: pixels.bytesPerRow)
            }
        }
        // Each is released before the next one's JPEG is made.
        while let last = coming.firstIndex(where: { $0.lastRow == y }) {
            let cut = coming.remove(at: last)
            encoded[cut.place] = try end(cut)
        }
    }

    private func rows(of area: PixelArea) throws(PictureFault) -> Cut.Rows {
        orientation == .upright
            ? .encoded(try JPEGEncoder(width: area.width, height: area.height, quality: quality))
            : .kept(PixelBuffer(width: area.width, height: area.height))
    }

    private func end(_ cut: Cut) throws(PictureFault) -> [UInt8] {
        switch cut.rows {
        case .encoded(let encoder): return try encoder.finish()
        case .kept(let pixels):
            let part = DecodedPicture(stored: pixels, orientation: orientation)
            return try part.encode(PixelArea(x: 0, y: 0, width: part.width, height: part.height), quality: quality)
        }
    }
}

extension Orientation {
    /// Where an area of the upright picture lies in the stored one, whose size is given.
    fileprivate func stored(_ area: PixelArea, width: Int, height: Int) -> PixelArea {
        var stored = area
        if swapsAxes { stored = PixelArea(x: area.y, y: area.x, width: area.height, height: area.width) }
        if reversesX { stored.x = width - stored.x - stored.width }
        if reversesY { stored.y = height - stored.y - stored.height }
        return stored
    }
}
