import Model
import Pictures
import Pipeline

extension PictureFormat {
    /// The format whose mark is at the beginning of the picture. nil if it is none of these.
    init?(_ reader: inout HeaderReader) throws(PictureFault) {
        if try reader.has("GIF87a", at: 0) {
            self = .gif
        } else if try reader.has("GIF89a", at: 0) {
            self = .gif
        } else if try reader.has("RIFF", at: 0), try reader.has("WEBP", at: 8) {
            self = .webp
        } else if try reader.begins([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if try reader.begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if try reader.tiffLayout() != nil {
            self = .tiff
        } else if try reader.isBMP() {
            self = .bmp
        } else if let format = try reader.heifFormat() {
            self = format
        } else {
            return nil
        }
    }
}

extension HeaderReader {
    mutating func begins(_ mark: [UInt8]) throws(PictureFault) -> Bool {
        guard count >= mark.count else { return false }
        return try bytes(at: 0, mark.count).elementsEqual(mark)
    }
}
