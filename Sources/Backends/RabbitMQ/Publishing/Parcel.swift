import Pipeline

/// A message that is to be published to a queue.
struct Parcel: Sendable {
    enum Content: Sendable {
        /// A message of farm's own.
        case own(headers: [String: String])
        /// A message as it was delivered, perhaps marked as one that a consumer had.
        case copy(properties: [UInt8], isRedelivered: Bool)
    }

    var queue: String
    var body: [UInt8]
    var content: Content

    init(_ message: Message) {
        (queue, body, content) = (message.queue, message.body, .own(headers: message.headers))
    }

    /// A copy that replaces a message which cannot be given back.
    /// - Parameter isRedelivered: whether it counts as one that a consumer had.
    init(copying content: Frame.Content, to queue: String, isRedelivered: Bool = true) {
        (self.queue, body) = (queue, content.body)
        // Another program's headers must not keep a message from its queue.
        guard content.properties.count <= HeaderTable.limit else {
            var headers = content.headers.filter { $0.key.hasPrefix(FarmHeader.prefix) }
            if isRedelivered { headers[FarmHeader.redelivered] = FarmHeader.yes }
            self.content = .own(headers: headers)
            return
        }
        self.content = .copy(properties: content.properties, isRedelivered: isRedelivered)
    }
}

/// Why a message is not known to be in its queue.
enum Refused: Sendable {
    /// Its queue does not exist.
    case returned
    case fault(PortFault)
}
