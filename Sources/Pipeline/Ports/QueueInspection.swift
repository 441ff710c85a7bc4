/// Which messages of a queue are meant.
public enum QueuePart: Sendable {
    /// Those that nobody has taken yet.
    case waiting
    /// Those in `<queue>.dead`.
    case dead
}

/// One look through the messages that lie in a queue. Those that were shown and not removed lie where they lay when the
/// pass has ended, in whatever way: also when its process is killed.
///
/// Two passes at once never remove the same message twice; where the queue can show a message only by lending it (AMQP),
/// each sees what the other does not hold at that moment.
public protocol QueueBrowsing: Sendable {
    /// The next messages, oldest first; none when what lay there at the beginning was shown. What comes in meanwhile need
    /// not be shown, so that a pass ends.
    /// - Throws: `PortFault`: then the pass is over, and nothing but what was removed is gone.
    func next() async throws -> [Delivery]

    /// Removes messages of the last `next` for good.
    /// - Returns: how many; those that somebody else has taken meanwhile are left alone.
    /// - Throws: `PortFault`.
    func remove(_ receipts: [Receipt]) async throws -> Int

    /// Publishes messages, and removes those of the last `next` in whose place they come once they are safe. Where these are
    /// two steps, what happens between them leaves both.
    /// - Returns: how many; those that somebody else has taken meanwhile are left alone.
    /// - Throws: `PortFault`.
    func replace(_ replacements: [(receipt: Receipt, message: Message)]) async throws -> Int

    /// Ends the pass.
    /// - Throws: `PortFault` if it is not known whether all that was removed is gone.
    func close() async throws
}

/// What an operator does with single messages.
public protocol QueueInspection: Sendable {
    /// Looks through a queue; one that does not exist is empty.
    /// - Throws: `PortFault`.
    func pass(through queue: String, _ part: QueuePart) async throws -> any QueueBrowsing

    /// Drops messages that wait or are delayed: all of them, or as many as one short transaction can. What consumers hold
    /// goes on.
    /// - Returns: how many; 0 when none is left.
    /// - Throws: `PortFault`.
    func purge(_ queue: String) async throws -> Int
}
