import Glibc
import Pictures
import Pipeline

/// Limits how many scans a JPEG may have. Each scan costs a look at every block of the picture, even if it contains
/// nothing: a file of 300 KB with 490 empty scans over 100 megapixels would take a minute.
enum JPEGScans {
    /// Pixels times scans: 25 scans at the limit of 100 megapixels, or 200 scans of a photo of 12. Encoders write about
    /// ten.
    private static let limit = 25 * PictureLimits.pixels
    /// The largest number of scans, however small the picture is. libjpeg-turbo's own programs stop there, too.
    private static let most = 500

    /// - Throws: `too_large` if there are too many for the size of the picture.
    static func check(_ bytes: UnsafeBufferPointer<UInt8>, _ jpeg: JPEGHeader) throws(PictureFault) {
        // Nothing after its one scan is read: a film after the picture does not belong to it.
        guard !jpeg.isOnePass else { return }
        let scans = count(bytes, from: jpeg.frame)
        let (width, height) = jpeg.size
        guard scans <= min(most, limit / max(1, width * height)) else {
            throw PictureFault(.tooLarge, "\(width) × \(height) pixels in \(scans) scans, too many for its size")
        }
    }

    /// Counts the scans up to the end marker, segment by segment as libjpeg does.
    /// - Parameter start: the offset of the frame header.
    private static func count(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var (scans, place) = (0, start)
        while let marker = nextMarker(bytes, from: place) {
            let code = bytes[marker + 1]
            if code == 0xD9 { break }
            if code == 0xDA { scans += 1 }
            let hasLength = code != 0xD8 && marker + 3 < bytes.count
            place = marker + 2 + (hasLength ? Int(bytes[marker + 2]) << 8 | Int(bytes[marker + 3]) : 0)
        }
        return scans
    }

    /// The offset of the next marker that does not belong to coded pixels: no stuffed byte, no restart.
    private static func nextMarker(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard let first = bytes.baseAddress else { return nil }
        var place = start
        while place + 1 < bytes.count, let found = memchr(first + place, 0xFF, bytes.count - 1 - place) {
            place = first.distance(to: found.assumingMemoryBound(to: UInt8.self))
            switch bytes[place + 1] {
            case 0x00, 0x01, 0xD0...0xD7: place += 2
            case 0xFF: place += 1
            default: return place
            }
        }
        return nil
    }
}
