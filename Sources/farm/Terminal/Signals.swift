import Dispatch
import Foundation
import Pipeline
import Synchronization

/// SIGTERM and SIGINT begin a graceful shutdown, a second one ends at once; SIGHUP is passed on.
final class Signals: Sendable {
    static let shared = Signals()

    private struct State {
        var drains: [Drain] = []
        var first: (number: Int32, time: ContinuousClock.Instant)?
        var limit: Duration = .seconds(10)
        var leasesWork = false
        var hangup: (@Sendable () -> Void)?
        var abortion: (@Sendable () -> Void)?
        var sources: [any DispatchSourceSignal] = []
    }

    private static let echo = Duration.milliseconds(20)

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "farm.signals")

    /// Of a command that ended by itself or was drained: 130 after SIGINT, else 0.
    var exitCode: Int32 { state.withLock { $0.first?.number == SIGINT ? 130 : 0 } }

    var wasInterrupted: Bool { state.withLock { $0.first != nil } }

    /// From now on a signal begins the returned drain.
    /// - Parameters:
    ///   - limit: after that long the process ends, whatever is still to be done.
    ///   - leasesWork: what is in flight then is leased, and comes again. Of a command that does one thing it is undone.
    func drain(within limit: Duration = .seconds(10), leasesWork: Bool = false) -> Drain {
        let drain = Drain()
        let isFirst = state.withLock { state in
            state.drains.append(drain)
            (state.limit, state.leasesWork) = (limit, leasesWork)
            return state.sources.isEmpty
        }
        if isFirst { listen() }
        return drain
    }

    func onHangup(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.hangup = action } }

    /// Before a second signal, or a drain that takes too long, ends the process.
    func onAbort(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.abortion = action } }

    private func abort(_ code: Int32) -> Never {
        Terminal.removeProgressLine()
        state.withLock { $0.abortion }?()
        _exit(code)
    }

    private func listen() {
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
        // Where nothing is read again, a terminal that is gone ends the command.
        if number == SIGHUP, let hangup = state.withLock({ $0.hangup }) { return hangup() }
        let now = ContinuousClock.now
        let (first, drains, limit, leasesWork) = state.withLock { state in
            defer { state.first = state.first ?? (number, now) }
            return (state.first, state.drains, state.limit, state.leasesWork)
        }
        // What a role leaves is leased, and comes again; a command that does one thing has not done it.
        let code: Int32 = number == SIGINT ? 130 : leasesWork ? 0 : 1
        if let first {
            // `timeout` signals the process and then its group: that is one signal.
            guard first.number != number || now - first.time > Signals.echo else { return }
            abort(code)
        }
        for drain in drains { drain.begin() }
        queue.asyncAfter(deadline: .now() + limit.seconds) { [self] in
            let rest = leasesWork ? "what was in flight comes again" : "not all is done: run it again for the rest"
            Terminal.error("farm: not drained within \(limit.seconds) s, ends; \(rest)")
            abort(code)
        }
    }
}
