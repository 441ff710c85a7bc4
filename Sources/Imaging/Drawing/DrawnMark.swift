import Model
import Pictures
import Pipeline

/// The mark that distinguishes a picture that farm has drawn from a photo, whatever its path: the program that made it,
/// in its XMP data (ISO 16684-1), which other programs show and keep.
enum DrawnMark {
    /// The value of xmp:CreatorTool.
    static let tool = "farm (boxes and labels drawn in)"

    /// The XMP packet of such a picture.
    static let packet = Array(
        """
        <?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="\(tool)"/>
        </rdf:RDF></x:xmpmeta>
        <?xpacket end="w"?>
        """.utf8)

    /// What precedes the packet in a JPEG segment.
    static let segmentStart = "http://ns.adobe.com/xap/1.0/\0"
}

extension HeaderReader {
    /// Whether the picture has the mark.
    /// - Parameter jpeg: what the segments say, if it is a JPEG.
    mutating func isDrawnByFarm(_ format: PictureFormat, _ jpeg: JPEGHeader?) throws(PictureFault) -> Bool {
        let packet: Range<Int>?
        switch format {
        case .jpeg: packet = jpeg?.xmp
        case .png: packet = try pngPacket()
        case .webp: packet = try webPPacket()
        case .gif, .tiff, .bmp, .heif, .avif: packet = nil
        }
        guard let packet else { return false }
        // The packet may come from another program and have any length.
        let length = min(packet.count, 64 << 10, max(0, count - packet.lowerBound))
        return try bytes(at: packet.lowerBound, length).contains(Array(DrawnMark.tool.utf8))
    }

    /// The packet in an iTXt chunk before the pixels.
    private mutating func pngPacket() throws(PictureFault) -> Range<Int>? {
        var offset = 8
        for _ in 0..<1000 {
            guard offset + 12 <= count, !(try has("IDAT", at: offset + 4)) else { break }
            let end = offset + 8 + (try number(at: offset, bytes: 4))
            if try has(PNGText.packetStart, at: offset + 4) { return offset + 8..<end }
            offset = end + 4
        }
        return nil
    }

    /// The packet in the chunk of the extended layout (RFC 9649, 2.7), after the pixels.
    private mutating func webPPacket() throws(PictureFault) -> Range<Int>? {
        guard try has("VP8X", at: 12), try number(at: 20, bytes: 1) & 0x04 != 0 else { return nil }
        var offset = 12
        for _ in 0..<100_000 {
            guard offset + 8 <= count else { break }
            let length = try number(at: offset + 4, bytes: 4, .little)
            if try has("XMP ", at: offset) { return offset + 8..<offset + 8 + length }
            offset += 8 + length + length & 1
        }
        return nil
    }
}
