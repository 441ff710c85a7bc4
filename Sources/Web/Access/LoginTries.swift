import Foundation
import Synchronization

/// Keeps tokens from being guessed: so many wrong ones a minute, from everybody together, since behind a proxy all come from
/// one address.
final class LoginTries: Sendable {
    private static let limit = 20
    private static let window = 60.0

    private let failures = Mutex<[Date]>([])

    func mayTry(at now: Date) -> Bool {
        failures.withLock { failures in
            failures.removeAll { now.timeIntervalSince($0) > LoginTries.window }
            return failures.count < LoginTries.limit
        }
    }

    func failed(at now: Date) { failures.withLock { $0.append(now) } }
}
