import Pictures
import Pipeline

extension ScaledFit {
    /// The fewest eighths of a JPEG's sides that are not smaller than the picture has to be.
    func eighths(of upright: (width: Int, height: Int)) -> Int {
        let size = size(of: upright)
        return (1...7).first {
            (upright.width * $0 + 7) / 8 >= size.width && (upright.height * $0 + 7) / 8 >= size.height
        } ?? 8
    }
}

extension DecodedPicture {
    /// The upright picture as JPEG, made smaller where it does not fit.
    func scaled(toFit fit: ScaledFit, quality: Int) throws(PictureFault) -> ScaledPicture {
        let size = fit.size(of: (width, height))
        // The stored pixels are made smaller before they are turned: there are fewer of them then.
        let (across, down) = orientation.swapsAxes ? (size.height, size.width) : size
        let small = DecodedPicture(
            stored: try stored.shrunk(width: across, height: down), orientation: orientation, profile: profile)
        let jpeg = try small.encode(
            PixelArea(x: 0, y: 0, width: size.width, height: size.height), quality: quality)
        return ScaledPicture(jpeg: jpeg, width: size.width, height: size.height)
    }
}

extension PixelBuffer {
    /// The same picture with at most as many pixels on each side: each is the mean of those that it covers, by area.
    func shrunk(width target: Int, height rows: Int) throws(PictureFault) -> PixelBuffer {
        guard target < width || rows < height else { return self }
        let small = try PixelBuffer(width: target, height: rows)
        let columns = Spans(width, into: target)
        let lines = Spans(height, into: rows)
        var sums = [UInt32](repeating: 0, count: target * PixelBuffer.bytesPerPixel)
        var line = [UInt32](repeating: 0, count: target * PixelBuffer.bytesPerPixel)
        for y in 0..<rows {
            for index in sums.indices { sums[index] = 0 }
            lines.forEachPart(of: y) { source, weight in
                average(line: source, by: columns, into: &line)
                // At most 255 × 256 of a line, times weights that add up to 256: it fits.
                for index in sums.indices { sums[index] += line[index] * weight }
            }
            let place = small.pixel(x: 0, y: y)
            for index in sums.indices { place[index] = UInt8(min(255, (sums[index] + 32_768) >> 16)) }
        }
        return small
    }

    private func average(line y: Int, by columns: Spans, into line: inout [UInt32]) {
        let row = pixel(x: 0, y: y)
        for x in 0..<columns.count {
            var (red, green, blue): (UInt32, UInt32, UInt32) = (0, 0, 0)
            columns.forEachPart(of: x) { source, weight in
                let place = row + source * PixelBuffer.bytesPerPixel
                red += UInt32(place[0]) * weight
                green += UInt32(place[1]) * weight
                blue += UInt32(place[2]) * weight
            }
            line[x * 3] = red
            line[x * 3 + 1] = green
            line[x * 3 + 2] = blue
        }
    }
}

/// Which pixels of a line each pixel of a shorter one covers, and by how much, in parts of 256 that add up to 256.
private struct Spans {
    /// Pixels of the shorter line.
    let count: Int
    /// Where the parts of each begin in the other two; one more at the end.
    private var starts: [Int] = [0]
    private var sources: [Int] = []
    private var weights: [UInt32] = []

    init(_ length: Int, into count: Int) {
        self.count = count
        for place in 0..<count {
            // In units of which each source pixel has `count` and each target pixel `length`: whole numbers.
            let (from, to) = (place * length, (place + 1) * length)
            var (source, used) = (from / count, 0)
            var done: UInt32 = 0
            while source * count < to {
                used += min(to, (source + 1) * count) - max(from, source * count)
                // What is rounded off goes to the next one, so that the sum is exact.
                let upTo = UInt32((used * 256 + length / 2) / length)
                sources.append(source)
                weights.append(upTo - done)
                done = upTo
                source += 1
            }
            starts.append(sources.count)
        }
    }

    @inline(__always)
    func forEachPart(of place: Int, _ body: (_ source: Int, _ weight: UInt32) -> Void) {
        for part in starts[place]..<starts[place + 1] { body(sources[part], weights[part]) }
    }
}
