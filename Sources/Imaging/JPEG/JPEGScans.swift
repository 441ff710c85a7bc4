import Glibc
import Pipeline

/// How often a JPEG goes over its pixels. Each scan costs a look at every block of the picture, even where it says
/// nothing: a file of 300 KB with 490 empty scans over 100 megapixels would take a minute.
enum JPEGScans {
    /// Pixels times scans: 25 scans at the limit of 100 megapixels, 200 of a photo of 12. Encoders write about ten.
    private static let limit = 25 * PictureLimits.pixels
    /// However small the picture: libjpeg-turbo's own programs stop there, too.
    private static let most = 500

    /// - Throws: `too_large` where there are too many for its size.
    static func check(_ bytes: UnsafeBufferPointer<UInt8>, width: Int, height: Int) throws(PictureFault) {
        let scans = count(bytes)
        guard scans <= min(most, limit / max(1, width * height)) else {
            throw PictureFault(.tooLarge, "\(width) × \(height) pixels in \(scans) scans, too many for its size")
        }
    }

    /// How many start-of-scan markers there are. Coded pixels hold none; those of a thumbnail count as well.
    private static func count(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard let start = bytes.baseAddress else { return 0 }
        var (scans, place) = (0, 0)
        while place + 1 < bytes.count, let found = memchr(start + place, 0xFF, bytes.count - 1 - place) {
            place = start.distance(to: found.assumingMemoryBound(to: UInt8.self)) + 1
            if bytes[place] == 0xDA { scans += 1 }
        }
        return scans
    }
}
