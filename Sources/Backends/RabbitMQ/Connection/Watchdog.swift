@preconcurrency import Dispatch
import Glibc
import Synchronization

/// Breaks a connection if a call of the library holds its owner for too long. The call then ends with an error. The
/// watchdog has its own descriptor of the socket, so it can never hit another one.
final class Watchdog: Sendable {
    private let descriptor: Int32
    private let timer: any DispatchSourceTimer
    private let lastSign: Mutex<ContinuousClock.Instant>

    /// - Parameter limit: how long the owner may give no sign of life.
    init(socket: Int32, limit: Duration) {
        descriptor = dup(socket)
        lastSign = Mutex(.now)
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "farm.rabbitmq.watchdog"))
        timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(500))
        timer.setEventHandler { [weak self, descriptor] in
            guard let self, lastSign.withLock({ $0 }).duration(to: .now) > limit else { return }
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
        timer.setCancelHandler { [descriptor] in Glibc.close(descriptor) }
        timer.resume()
    }

    deinit { timer.cancel() }

    func sign() { lastSign.withLock { $0 = .now } }
}
