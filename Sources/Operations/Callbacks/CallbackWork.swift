import Foundation
import Model
import Pipeline

/// A callback as its message has it, with what has been tried so far.
struct CallbackWork: Sendable {
    /// What was promised.
    let callback: Callback
    /// How often it was posted in vain.
    let tries: Int
    /// When it was first posted in vain.
    let firstFailure: Date?
    /// When it may be posted again.
    let dueAt: Date?
    /// Since when its image is waited for: since it was accepted, or requeued.
    let since: Date
    /// How it died before it was requeued.
    private let history: String?

    /// - Throws: `MessageFault` for a message that is no callback.
    init(_ delivery: Delivery) throws(MessageFault) {
        callback = try Callback(body: delivery.body)
        let headers = delivery.headers
        tries = headers[FarmHeader.tries].flatMap { Int($0) }.map { max(0, $0) } ?? 0
        firstFailure = headers[FarmHeader.firstFailure].flatMap(Timestamp.date)
        dueAt = headers[FarmHeader.dueAt].flatMap(Timestamp.date)
        history = headers[FarmHeader.history]
        let letter = DeadMessage(queue: Callback.queue, body: [], headers: headers)
        let requeued = letter.history.last?["requeued"]?.stringValue.flatMap(Timestamp.date)
        since = max(callback.acceptedAt, requeued ?? callback.acceptedAt)
    }

    /// The message that takes its place after it was posted in vain once more.
    func again(at now: Date, after wait: Duration) -> Message {
        var headers = [
            FarmHeader.tries: String(tries + 1), FarmHeader.firstFailure: Timestamp.iso8601(firstFailure ?? now),
            FarmHeader.dueAt: Timestamp.iso8601(now.addingTimeInterval(wait.seconds)),
        ]
        headers[FarmHeader.history] = history
        return Message(queue: Callback.queue, body: callback.body, headers: headers)
    }
}
