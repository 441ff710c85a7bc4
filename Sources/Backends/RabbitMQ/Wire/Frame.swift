/// What the broker says, copied out of the library's buffers.
enum Frame: Sendable {
    /// A message, of a consumer's or one that could not be routed.
    struct Content: Sendable {
        var body: [UInt8]
        /// Those that tell of its content, as text.
        var headers: [String: String]
        /// All that came with it, as it came.
        var properties: [UInt8] = []
        /// How often the queue has had it back: a quorum queue says so, with what it delivers again.
        var returns: Int?
        /// It takes the place of a message that a consumer had.
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
    /// What a queue was asked for, and how many more are ready in it.
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

/// The reply code and text with which the broker closes a channel or connection.
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
