import Pipeline

/// A look through one queue of the broker.
struct RabbitMQPass: QueuePass {
    let sifter: Sifter
    let broker: RabbitMQQueue

    func next() async throws -> [Delivery] { try await sifter.next() }

    func remove(_ receipts: [Receipt]) async throws -> Int { try await sifter.remove(receipts) }

    /// Headers of other programs' must not keep a message from its queue.
    func replace(_ replacements: [(receipt: Receipt, message: Message)]) async throws -> Int {
        try await broker.publish(
            replacements.map { _, message in
                var message = message
                if !HeaderTable.fits(message.headers) {
                    message.headers = message.headers.filter { $0.key.hasPrefix(FarmHeader.prefix) }
                }
                return message
            })
        return try await sifter.remove(replacements.map(\.receipt))
    }

    func close() async throws { try await sifter.close() }
}
