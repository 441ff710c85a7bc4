/// The media type of a picture, as given in its part of a multipart body.
enum MediaType {
    /// How many bytes decide the type.
    static let prefixLength = 16

    /// The type by the first bytes, or by the extension of the name, or else `application/octet-stream`.
    static func of(_ first: some Collection<UInt8>, filename: String) -> String {
        let first = Array(first.prefix(prefixLength))
        return byContent(first) ?? byExtension[pathExtension(filename)] ?? "application/octet-stream"
    }

    private static func byContent(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xff, 0xd8, 0xff]) { return "image/jpeg" }
        if bytes.starts(with: [0x89] + Array("PNG".utf8)) { return "image/png" }
        if bytes.starts(with: "GIF8".utf8) { return "image/gif" }
        if bytes.starts(with: "BM".utf8) { return "image/bmp" }
        if bytes.starts(with: [0x49, 0x49, 0x2a, 0]) || bytes.starts(with: [0x4d, 0x4d, 0, 0x2a]) {
            return "image/tiff"
        }
        guard bytes.count >= 12 else { return nil }
        if bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WEBP".utf8) { return "image/webp" }
        guard bytes[4..<8].elementsEqual("ftyp".utf8) else { return nil }
        let brand = String(decoding: bytes[8..<12], as: UTF8.self)
        if brand.hasPrefix("avi") { return "image/avif" }
        return brand.hasPrefix("hei") || brand.hasPrefix("hev") ? "image/heic" : "image/heif"
    }

    private static let byExtension = [
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp",
        "tif": "image/tiff", "tiff": "image/tiff", "webp": "image/webp", "heic": "image/heic", "heif": "image/heif",
        "avif": "image/avif",
    ]

    private static func pathExtension(_ name: String) -> String {
        name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
    }
}
