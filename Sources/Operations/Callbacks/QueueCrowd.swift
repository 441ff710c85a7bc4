import Foundation
import Pipeline
import Waiting

/// Tells whether messages of a queue wait to be taken. Looks once every few seconds, however many ask.
actor QueueCrowd {
    private static let interval: TimeInterval = 5

    private let queue: String
    private let queues: any QueueAdministration
    private let time: any Timekeeper
    private var looked = Date.distantPast
    private var waits = false

    init(_ queue: String, _ queues: any QueueAdministration, time: any Timekeeper) {
        self.queue = queue
        self.queues = queues
        self.time = time
    }

    /// Whether any message waits.
    func isWaiting() async -> Bool {
        let now = time.now()
        guard abs(now.timeIntervalSince(looked)) >= QueueCrowd.interval else { return waits }
        looked = now
        // A queue that cannot be asked gives nobody anything either.
        waits = (try? await queues.depths(of: [queue]).first).map { $0.waiting > 0 } ?? false
        return waits
    }
}
