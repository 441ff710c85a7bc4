import COpenSSL
import Foundation

/// The key with which webhooks are signed (Standard Webhooks 1.0). Nothing that prints, dumps or mirrors it shows it.
package struct WebhookKey: Sendable {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The headers of a webhook, with the signature of its id, the time and its body.
    package func headers(id: UUID, at date: Date, _ body: [UInt8]) -> [(name: String, value: String)] {
        let time = String(Int(date.timeIntervalSince1970))
        let signature = Data(digest(Array("\(id.text).\(time).".utf8) + body)).base64EncodedString()
        return [("webhook-id", id.text), ("webhook-timestamp", time), ("webhook-signature", "v1,\(signature)")]
    }

    /// HMAC with SHA-256 (RFC 2104, FIPS 180-4).
    private func digest(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        HMAC(EVP_sha256(), bytes, Int32(bytes.count), message, message.count, &digest, &count)
        assert(count == 32, "SHA-256 has 32 bytes")
        return digest
    }
}

extension WebhookKey: CustomStringConvertible, CustomReflectable {
    /// Always the same words.
    package var description: String { "(secret)" }

    /// A mirror without children.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
