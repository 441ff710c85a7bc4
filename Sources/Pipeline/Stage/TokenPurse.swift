import Foundation
import Waiting

/// Holds the tokens of a rate limit that a stage has leased and not used yet.
struct TokenPurse {
    /// How often it looks whether the limit was lifted.
    private static let longestWait = Duration.seconds(2)
    private static let retryPause = Duration.seconds(1)
    /// Shorter waits are not worth a look, and on a coarse clock they would last no time at all.
    static let shortestWait = Duration.milliseconds(2)

    private let options: StageOptions
    private var count = 0
    private var leased = Date.distantPast
    private var isFailing = false

    private var control: ControlGate { options.control }

    init(_ options: StageOptions) { self.options = options }

    /// How long the tokens are still valid.
    var validity: Duration {
        // If the wall clock is set back, the time must not become longer.
        let age = Duration.seconds(abs(options.time.now().timeIntervalSince(leased)))
        return max(.zero, TokenBucket.lease - age)
    }

    /// Waits until a job may be taken.
    /// - Parameter waiting: called before a long wait, to give back what was fetched ahead.
    /// - Returns: how many jobs may be taken. nil if there is no limit.
    /// - Throws: `CancellationError`, what `waiting` throws.
    mutating func allowance(upTo limit: Int, waiting: () async throws -> Void) async throws -> Int? {
        if count > 0, control.isLimited, validity > TokenPurse.shortestWait { return min(count, limit) }
        while control.isLimited {
            switch try await lease(limit) {
            case .unlimited: return nil
            case .granted(let granted):
                (count, leased) = (granted, options.time.now())
                return granted
            case .wait(let duration):
                if duration > TokenPurse.retryPause { try await waiting() }
                try await wait(max(TokenPurse.shortestWait, min(duration, TokenPurse.longestWait)))
            }
        }
        count = 0
        return nil
    }

    mutating func spend(_ used: Int) { count = max(0, count - used) }

    private mutating func lease(_ limit: Int) async throws -> TokenLease {
        // If this fails, nobody knows whether they were returned. Then they have lapsed.
        defer { count = 0 }
        do {
            let lease = try await control.lease(limit, count)
            if isFailing { options.log.notice("\(control.service): tokens of its rate limit are leased again") }
            isFailing = false
            return lease
        } catch let fault as PortFault {
            if !isFailing {
                options.log.warning(
                    "\(control.service): no tokens of its rate limit are leased, so nothing is taken: \(fault)")
            }
            isFailing = true
            return .wait(TokenPurse.retryPause)
        }
    }

    private func wait(_ duration: Duration) async throws {
        let began = options.time.now()
        defer {
            options.events.tell(.waitedForRate(seconds: max(0, options.time.now().timeIntervalSince(began))))
        }
        try await options.time.sleep(duration)
    }
}
