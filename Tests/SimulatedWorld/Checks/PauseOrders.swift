import Pipeline
import Synchronization

/// What a process has read of the services' pauses, and the calls that it made all the same.
final class PauseOrders: Sendable {
    private struct State {
        /// Since when the process has known of each pause.
        var paused: [String: VirtualTime] = [:]
        var broken: [String] = []
    }

    /// A call that was about to go out when the pause was read.
    private static let slack = VirtualTime.seconds(5)

    private let state = Mutex(State())

    /// The process has read what is set.
    func read(_ sheet: ControlSheet, of services: [String], at now: VirtualTime) {
        state.withLock { state in
            for service in services {
                state.paused[service] = sheet[service].isPaused ? state.paused[service] ?? now : nil
            }
        }
    }

    /// A call goes out.
    func call(_ service: String, at now: VirtualTime) {
        state.withLock { state in
            guard let since = state.paused[service], now > since + PauseOrders.slack else { return }
            state.broken.append("\(service) is called \((now - since).seconds) s after its pause was read")
        }
    }

    var broken: [String] { state.withLock { $0.broken } }
}
