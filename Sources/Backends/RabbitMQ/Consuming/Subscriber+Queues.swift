import Pipeline

/// Questions about queues, and their creation.
extension Subscriber {
    /// Looks for a queue, and creates it if it is missing. An existing one is used as it is, whatever its arguments.
    func declare(_ queue: String) async throws {
        if try await messages(in: queue) != nil { return }
        guard case .refused(let refusal) = try await ask(queue, .make(connection.options.queueType)) else { return }
        // Somebody else may have created it meanwhile, with other arguments.
        if refusal.code == Refusal.preconditionFailed, try await messages(in: queue) != nil { return }
        throw connection.fault(over: queue, refusal)
    }

    /// How many messages wait. nil if there is no such queue.
    func messages(in queue: String) async throws -> Int? { try await count(queue, .look)?.messages }

    /// How many messages wait, and how many consumers there are. nil if there is no such queue.
    func look(at queue: String) async throws -> (messages: Int, consumers: Int)? { try await count(queue, .look) }

    /// Drops the messages that wait.
    /// - Returns: how many messages. nil if there is no such queue.
    func purge(_ queue: String) async throws -> Int? { try await count(queue, .purge)?.messages }

    private func count(
        _ queue: String, _ question: QueueInquiries.Question
    ) async throws -> (messages: Int, consumers: Int)? {
        switch try await ask(queue, question) {
        case .messages(let count, let consumers): return (count, consumers)
        case .refused(let refusal) where refusal.code == Refusal.notFound && !refusal.text.contains("inaccessible"):
            return nil
        case .refused(let refusal): throw connection.fault(over: queue, refusal)
        }
    }

    func ask(_ queue: String, _ question: QueueInquiries.Question) async throws -> QueueInquiries.Answer {
        try checkAlive()
        return try await withCheckedThrowingContinuation {
            inquiries.ask(QueueInquiries.Request(queue: queue, question: question, continuation: $0), connection)
        }
    }
}
