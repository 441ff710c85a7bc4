/// What the broker sends, copied out of the library's buffers.
enum Frame: Sendable {
    /// A message for a consumer, or one that could not be routed.
    struct Content: Sendable {
        var body: [UInt8]
        /// The headers that describe the content, as text.
        var headers: [String: String]
        /// All properties, as they came.
        var properties: [UInt8] = []
        /// How often it has come back to the queue. A quorum queue says so when it delivers a message again.
        var returns: Int?
        /// Whether it replaces a message that a consumer had.
        var isCopy = false
    }

    case channelOpened(UInt16)
    case channelClosed(UInt16, Refusal)
    case channelCloseOK(UInt16)
    case confirmsSelected
    case confirmed(tag: UInt64, multiple: Bool, isPositive: Bool)
    case returned(queue: String, Content)
    case declared(UInt16, messages: Int, consumers: Int)
    case delivered(UInt16, tag: UInt64, redelivered: Bool, Content)
    case consuming(UInt16)
    /// A message that was requested, and how many more are ready in the queue.
    case got(UInt16, tag: UInt64, redelivered: Bool, rest: Int, Content)
    /// The queue that was asked for a message has none.
    case gotNothing(UInt16)
    case purged(UInt16, messages: Int)
    case consumerCancelled(UInt16)
    case consumerCancelOK(UInt16)
    case blocked(reason: String)
    case unblocked
    case closed(Refusal)
    case closeOK
    case other
}

/// The reply code and the text with which the broker closes a channel or a connection.
struct Refusal: Sendable, Equatable {
    var code: Int
    /// The broker's words.
    var text: String

    static let accessRefused = 403
    static let notFound = 404
    static let preconditionFailed = 406
    static let notAllowed = 530
    static let notImplemented = 540
}
