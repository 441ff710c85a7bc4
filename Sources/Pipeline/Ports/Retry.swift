import Foundation
import Logging
import Waiting

/// Repeats what failed for a passing reason, with back-off. Logs it once.
public struct Retry: Sendable {
    /// How long it tries. nil for as long as it takes.
    public var limit: Duration?
    /// Where time comes from.
    public var time: any Timekeeper
    /// The source of the jitter in its waits.
    public var randomness: Randomness
    /// The log.
    public var log: Logger

    package init(
        limit: Duration? = nil, time: any Timekeeper, randomness: @escaping Randomness = systemRandomness, log: Logger
    ) {
        self.limit = limit
        self.time = time
        self.randomness = randomness
        self.log = log
    }

    /// - Parameters:
    ///   - what: a name for the log, such as `taking jobs`.
    ///   - operation: must be safe to repeat.
    /// - Throws: what the operation throws, if that does not pass within the limit; `CancellationError`.
    public func run<Value: Sendable>(_ what: String, _ operation: () async throws -> Value) async throws -> Value {
        do { return try await operation() } catch let fault as PortFault where fault.kind == .transient {
            return try await run(what, after: fault, operation)
        }
    }

    /// Publishes until every message is safe. Messages that a queue has taken are not sent again.
    public func publish(_ what: String, _ messages: [Message], to queue: any JobQueue) async throws {
        var rest = messages
        try await run(what) {
            let unpublished = await queue.offer(rest)
            try Task.checkCancellation()
            rest = unpublished.flatMap(\.places).sorted().map { rest[$0] }
            if let fault = unpublished.gravest { throw fault }
        }
    }

    /// Continues after a first try that failed.
    package func run<Value: Sendable>(
        _ what: String, after first: PortFault, _ operation: () async throws -> Value
    ) async throws -> Value {
        var backOff = BackOff(base: .milliseconds(100), limit: .seconds(5), randomness: randomness)
        let begun = time.now()
        log.warning("\(what) failed, trying again: \(first)")
        while true {
            try await time.sleep(backOff.next())
            do {
                let value = try await operation()
                log.notice("\(what) works again")
                return value
            } catch let fault as PortFault where fault.kind == .transient {
                if let limit, time.now().timeIntervalSince(begun) >= limit.seconds { throw fault }
            }
        }
    }
}
