import HTTPTypes
import Hummingbird

/// A file of the pages, compiled into the program.
struct Asset: Sendable {
    static let style = Asset("farm.css", "text/css; charset=utf-8", PackageResources.farm_css)
    static let script = Asset("farm.js", "text/javascript; charset=utf-8", PackageResources.farm_js)
    static let events = Asset("events.js", "text/javascript; charset=utf-8", PackageResources.events_js)
    static let icon = Asset("icon.svg", "image/svg+xml", PackageResources.icon_svg)
    /// What the API is, which has a path of its own.
    static let openAPI = Asset("openapi.json", "application/json", PackageResources.openapi_json)

    static let all = [style, script, events, icon]

    private let name: String
    private let type: String
    let bytes: [UInt8]
    /// Changes with the bytes, so that browsers may keep a file for ever.
    private let revision: String

    private init(_ name: String, _ type: String, _ bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.bytes = bytes
        // FNV-1a (Fowler, Noll, Vo).
        let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        revision = String(hash, radix: 36)
    }

    /// From the root.
    var link: String { "assets/\(name)?v=\(revision)" }

    var path: String { "/assets/\(name)" }

    var response: Response {
        Response(
            status: .ok,
            headers: [
                .contentType: type, .cacheControl: "public, max-age=31536000, immutable",
                .xContentTypeOptions: "nosniff", .eTag: "\"\(revision)\"",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
