import Foundation
import Model

/// How webhooks are signed, and how long they are tried.
public struct WebhookSettings: Sendable, Equatable {
    /// WEBHOOK_SECRET, as receivers have it: `whsec_` and the key in base64.
    public var secret: Secret
    /// WEBHOOK_TRIES: how often a webhook is posted before it becomes a dead letter.
    public var tries: Int
    /// WEBHOOK_WAIT: how long an image may take.
    public var wait: Duration

    /// The mark of a key for HMAC, and how many bytes it has (Standard Webhooks 1.0).
    private static let prefix = "whsec_"
    private static let keyLengths = 24...64

    /// nil if no secret is set, or an unusable one.
    init?(_ variables: Variables) {
        tries = variables.integer(.webhookTries, in: 1...50) ?? 20
        wait = variables.duration(.webhookWait, in: .seconds(1...2_592_000)) ?? .seconds(86_400)
        guard let secret = variables.secret(.webhookSecret) else { return nil }
        guard WebhookSettings.key(secret.reveal()) != nil else {
            variables.fault(
                .webhookSecret,
                "must be whsec_ and the base64 of 24 to 64 bytes: echo whsec_$(openssl rand -base64 32) makes one")
            return nil
        }
        self.secret = secret
    }

    /// The key with which webhooks are signed.
    public var key: [UInt8] { WebhookSettings.key(secret.reveal()) ?? [] }

    private static func key(_ text: String) -> [UInt8]? {
        guard text.hasPrefix(prefix), let key = Data(base64Encoded: String(text.dropFirst(prefix.count))),
            keyLengths.contains(key.count)
        else { return nil }
        return Array(key)
    }
}
