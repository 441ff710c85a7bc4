import Pipeline

/// Cuts areas out of a picture whose rows come one after another: of the picture only those of its areas are in memory
/// whose rows are coming.
final class RowCutter {
    private struct Cut {
        /// Which of the crops.
        let place: Int
        /// Where it lies in the picture as stored.
        let area: PixelArea
        var pixels: PixelBuffer?
    }

    private let orientation: Orientation
    private let quality: Int
    /// By their first rows, the last ones first.
    private var waiting: [Cut]
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
            area.map { Cut(place: place, area: orientation.stored($0, width: width, height: height)) }
        }.sorted { $0.area.y > $1.area.y }
    }

    /// Takes the next row of the picture, three bytes a pixel.
    func take(_ row: UnsafePointer<UInt8>, y: Int) {
        guard fault == nil else { return }
        while let next = waiting.last, next.area.y <= y {
            coming.append(next)
            waiting.removeLast()
        }
        guard !coming.isEmpty else { return }
        var areEnding = false
        for index in coming.indices {
            let area = coming[index].area
            let pixels = coming[index].pixels ?? PixelBuffer(width: area.width, height: area.height)
            coming[index].pixels = pixels
            pixels.pixel(x: 0, y: y - area.y).update(
                from: row + area.x * PixelBuffer.bytesPerPixel, count: pixels.bytesPerRow)
            areEnding = areEnding || y == area.y + area.height - 1
        }
        if areEnding { end(at: y) }
    }

    private func end(at y: Int) {
        for cut in coming where y == cut.area.y + cut.area.height - 1 {
            guard let pixels = cut.pixels else { continue }
            let part = DecodedPicture(stored: pixels, orientation: orientation)
            let whole = PixelArea(x: 0, y: 0, width: part.width, height: part.height)
            do { encoded[cut.place] = try part.encode(whole, quality: quality) } catch {
                fault = error
                return
            }
        }
        coming.removeAll { y == $0.area.y + $0.area.height - 1 }
    }

    /// The crops, when all rows have come; nil where there is no area.
    /// - Throws: `image` for one that does not become a JPEG.
    func crops() throws(PictureFault) -> [[UInt8]?] {
        if let fault { throw fault }
        return encoded
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
