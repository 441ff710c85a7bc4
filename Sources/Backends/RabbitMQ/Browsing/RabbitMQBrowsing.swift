import Pipeline

/// A pass through one queue of the broker.
///
/// A queue that counts returns would drop messages that are lent and come back again and again, even if they were only
/// looked at. In such a queue a copy replaces each message that was shown and stays.
struct RabbitMQBrowsing: QueueBrowsing {
    let queue: String
    let browser: QueueBrowser
    let broker: RabbitMQQueue
    let countsReturns: Bool

    func next() async throws -> [Delivery] { try await next(upTo: .max) }

    /// Copies of what was shown go to the end, behind what earlier passes have shown.
    func next(upTo limit: Int) async throws -> [Delivery] {
        try await putBack()
        return try await browser.next(upTo: countsReturns ? limit : .max)
    }

    func remove(_ receipts: [Receipt]) async throws -> Int { try await browser.remove(receipts) }

    /// Another program's headers must not keep a message from its queue.
    func replace(_ replacements: [(receipt: Receipt, message: Message)]) async throws -> Int {
        let unpublished = await broker.offer(
            replacements.map { _, message in
                var message = message
                if !HeaderTable.fits(message.headers) {
                    message.headers = message.headers.filter { $0.key.hasPrefix(FarmHeader.prefix) }
                }
                return message
            })
        let open = Set(unpublished.flatMap(\.places))
        let removed = try await browser.remove(
            replacements.indices.filter { !open.contains($0) }.map { replacements[$0].receipt })
        try Task.checkCancellation()
        if let fault = unpublished.gravest { throw fault }
        return removed
    }

    func place(after receipt: Receipt) async -> Int64 { Int64(await browser.passed(upTo: receipt)) }

    func close() async throws {
        do { try await putBack() } catch {
            try? await browser.close()
            throw error
        }
        try await browser.close()
    }

    private func putBack() async throws {
        guard countsReturns else { return }
        let shown = await browser.shown()
        let refused = await broker.subscriber.copy(
            shown.map { Parcel(copying: $0.content, to: queue, isRedelivered: $0.isRedelivered) })
        try await browser.moved(shown.indices.filter { refused[$0] == nil }.map { shown[$0].receipt })
        if let fault = refused.values.first { throw fault }
    }
}
