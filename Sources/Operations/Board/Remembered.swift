import Foundation
import Waiting

/// Something that is costly to find out, once for all who ask: it is found out anew when somebody asks and it is too old.
package actor Remembered<Value: Sendable> {
    private let freshness: TimeInterval
    private let time: any Timekeeper
    private let make: @Sendable () async throws -> Value
    private var last: (value: Value, made: Date)?
    private var running: Task<Value, any Error>?

    /// - Parameter freshness: how long it is shown, in seconds.
    package init(
        for freshness: TimeInterval, time: any Timekeeper, make: @escaping @Sendable () async throws -> Value
    ) {
        self.freshness = freshness
        self.time = time
        self.make = make
    }

    /// The value, and when it was made.
    /// - Throws: what making it throws.
    package func latest() async throws -> (value: Value, made: Date) {
        if let last, abs(time.now().timeIntervalSince(last.made)) < freshness { return last }
        let task = running ?? Task { try await make() }
        running = task
        defer { running = nil }
        let value = try await task.value
        let latest = (value, time.now())
        last = latest
        return latest
    }

    /// Somebody has changed what it is about.
    package func forget() { last = nil }
}
