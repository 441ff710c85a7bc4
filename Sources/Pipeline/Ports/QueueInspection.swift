/// Which messages of a queue are meant.
public enum QueuePart: Sendable {
    /// Messages that nobody has taken yet.
    case waiting
    /// Messages in `<queue>.dead`.
    case dead
}

/// One pass through the messages of a queue. When the pass has ended in any way, even by its process being killed, the
/// messages that were shown and not removed are where they were before.
///
/// Two passes at once never remove the same message twice. Where a queue can show a message only by lending it (AMQP),
/// each pass sees the messages that the other one does not hold at that moment.
public protocol QueueBrowsing: Sendable {
    /// Returns the next messages, oldest first. Returns none when everything that was there at the beginning has been
    /// shown. New messages need not be shown, so that a pass ends.
    /// - Throws: `PortFault`. Then the pass is over, and only messages that were removed are gone.
    func next() async throws -> [Delivery]

    /// Returns the next messages as `next` does, for whoever asks for a place later. A queue that knows only the place
    /// after everything that it has shown returns no more than so many; another one may return more.
    /// - Throws: `PortFault`, as `next`.
    func next(upTo limit: Int) async throws -> [Delivery]

    /// Removes messages that the last `next` returned.
    /// - Returns: how many. Messages that somebody else has taken meanwhile are left alone.
    /// - Throws: `PortFault`.
    func remove(_ receipts: [Receipt]) async throws -> Int

    /// Publishes messages and, once they are safe, removes the messages of the last `next` that they replace. If
    /// something fails between these two steps, both are there.
    /// - Returns: how many. Messages that somebody else has taken meanwhile are left alone.
    /// - Throws: `PortFault`.
    func replace(_ replacements: [(receipt: Receipt, message: Message)]) async throws -> Int

    /// Where another pass goes on, to show what comes after this message of the last `next`. Only the queue itself
    /// reads it. A pass through what waits has no such places.
    func place(after receipt: Receipt) async -> Int64

    /// Ends the pass.
    /// - Throws: `PortFault` if it is not known whether everything that was removed is gone.
    func close() async throws
}

extension QueueBrowsing {
    /// As many as `next`, by default: it can tell any place.
    public func next(upTo limit: Int) async throws -> [Delivery] { try await next() }
}

/// What an operator does with single messages.
public protocol QueueInspection: Sendable {
    /// Starts a pass through a queue. A queue that does not exist is empty.
    /// - Throws: `PortFault`.
    func pass(through queue: String, _ part: QueuePart) async throws -> any QueueBrowsing

    /// Starts a pass through the dead letters of a queue.
    /// - Parameter place: where an earlier pass through them has ended; 0 for the beginning.
    /// - Throws: `PortFault`.
    func pass(throughDeadOf queue: String, from place: Int64) async throws -> any QueueBrowsing

    /// Deletes messages that wait or are delayed: all of them, or as many as one short transaction can delete. Messages
    /// that consumers hold are left alone.
    /// - Returns: how many. 0 when none is left.
    /// - Throws: `PortFault`.
    func purge(_ queue: String) async throws -> Int
}
