import Waiting

/// What came of posting a webhook.
public enum WebhookAnswer: Sendable, Equatable {
    /// The receiver has answered, with whatever status.
    case answered(status: Int, retryAfter: Duration?)
    /// There was no complete answer, for a reason that may pass: one line for people.
    case failed(String)
    /// It is never posted there: one line for people.
    case refused(String)
    /// The task was cancelled.
    case cancelled
}

/// Posts to URLs that strangers have given.
public protocol WebhookPoster: Sendable {
    /// Why nothing is posted to a URL, as the end of a sentence. nil if it may be used, as far as its text tells: the
    /// address of its host is judged whenever a connection is made.
    func refusal(of url: String) -> String?

    /// `host:port` of a URL. The rest of it may be a secret.
    func place(of url: String) -> String

    /// Posts JSON once, and follows no redirection.
    func post(_ body: [UInt8], to url: String, headers: [(name: String, value: String)]) async -> WebhookAnswer
}
