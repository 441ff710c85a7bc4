import Dispatch
import Foundation
import Pipeline
import Synchronization

/// SIGTERM and SIGINT begin a graceful shutdown, a second one ends at once; SIGHUP is passed on.
final class Signals: Sendable {
    static let shared = Signals()

    private struct State {
        var drains: [Drain] = []
        var first: Int32?
        var limit: Duration = .seconds(10)
        var hangup: (@Sendable () -> Void)?
        var sources: [any DispatchSourceSignal] = []
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "farm.signals")

    /// Of a command that ended by itself or was drained: 130 after SIGINT, else 0.
    var exitCode: Int32 { state.withLock { $0.first == SIGINT ? 130 : 0 } }

    var wasInterrupted: Bool { state.withLock { $0.first != nil } }

    /// From now on a signal begins the returned drain.
    /// - Parameter limit: after that long the process ends, whatever is still in flight: it is leased, and comes again.
    func drain(within limit: Duration = .seconds(10)) -> Drain {
        let drain = Drain()
        let isFirst = state.withLock { state in
            state.drains.append(drain)
            state.limit = limit
            return state.sources.isEmpty
        }
        if isFirst { listen() }
        return drain
    }

    func onHangup(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.hangup = action } }

    private func listen() {
        // A reader of our output that went away is noticed by the write.
        signal(SIGPIPE, SIG_IGN)
        state.withLock { state in
            state.sources = [SIGTERM, SIGINT, SIGHUP].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                source.setEventHandler { [self] in received(number) }
                source.activate()
                return source
            }
        }
    }

    private func received(_ number: Int32) {
        if number == SIGHUP {
            state.withLock { $0.hangup }?()
            return
        }
        let (isFirst, drains, limit) = state.withLock { state in
            defer { state.first = state.first ?? number }
            return (state.first == nil, state.drains, state.limit)
        }
        let code: Int32 = number == SIGINT ? 130 : 0
        guard isFirst else { _exit(code) }
        for drain in drains { drain.begin() }
        queue.asyncAfter(deadline: .now() + limit.seconds) {
            Terminal.error("farm: not drained within \(limit.seconds) s, ends; what was in flight comes again")
            _exit(code)
        }
    }
}
