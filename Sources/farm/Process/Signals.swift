import Dispatch
import Foundation
import Pipeline
import Synchronization
import Waiting

/// SIGTERM and SIGINT begin a graceful shutdown, and a second one ends the process at once. SIGHUP is passed on. A
/// signal that this process was started to ignore, as by `nohup` SIGHUP, stays ignored.
final class Signals: Sendable {
    static let shared = Signals()

    private struct State {
        var drains: [Drain] = []
        var first: (number: Int32, time: ContinuousClock.Instant)?
        var limit: Duration = .seconds(10)
        var leasesWork = false
        var hangup: (@Sendable () -> Void)?
        /// Whether a SIGHUP came, perhaps before there was an action for it.
        var wasHungUp = false
        var abortion: (@Sendable () -> Void)?
        var isListening = false
        var sources: [any DispatchSourceSignal] = []
    }

    private static let echo = Duration.milliseconds(20)

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "farm.signals")

    /// The exit code of a command that ended by itself or was drained: 130 after SIGINT, otherwise 0.
    var exitCode: Int32 { state.withLock { $0.first?.number == SIGINT ? 130 : 0 } }

    var wasInterrupted: Bool { state.withLock { $0.first != nil } }

    /// From now on a signal begins the returned drain.
    /// - Parameters:
    ///   - limit: after this time the process ends, whatever is still to be done.
    ///   - leasesWork: whether work in flight is leased then, and comes again. For a command that does one thing it is
    ///     undone.
    func drain(within limit: Duration = .seconds(10), leasesWork: Bool = false) -> Drain {
        let drain = Drain()
        let isFirst = state.withLock { state in
            state.drains.append(drain)
            (state.limit, state.leasesWork) = (limit, leasesWork)
            defer { state.isListening = true }
            return !state.isListening
        }
        if isFirst { listen() }
        return drain
    }

    /// From now on SIGHUP does this instead of what it did before. If one came earlier, the action runs at once: what
    /// it asked to read again may have been read before it.
    func onHangup(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.hangup = action
            return state.wasHungUp || Signals.wasHungUpEarly.load(ordering: .relaxed)
        }
        if isLate { queue.async(execute: action) }
    }

    // MARK: The start

    private static let wasHungUpEarly = Atomic(false)

    /// Notes a SIGHUP until it is known whether it ends the command.
    static func noteHangups() {
        guard !isIgnored(SIGHUP) else { return }
        // Initialised now, since a signal handler must not do that.
        wasHungUpEarly.store(false, ordering: .relaxed)
        signal(SIGHUP) { _ in Signals.wasHungUpEarly.store(true, ordering: .relaxed) }
    }

    /// Lets a SIGHUP end the command, as it ends other programs.
    static func endByHangup() {
        guard !isIgnored(SIGHUP) else { return }
        signal(SIGHUP, SIG_DFL)
        if wasHungUpEarly.load(ordering: .relaxed) { raise(SIGHUP) }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
        return handler == unsafeBitCast(SIG_IGN, to: UInt.self)
    }

    // MARK: Listening

    /// Sets what happens before a second signal, or a drain that takes too long, ends the process.
    func onAbort(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.abortion = action } }

    private func abort(_ code: Int32) -> Never {
        Terminal.abandonProgressLine()
        state.withLock { $0.abortion }?()
        _exit(code)
    }

    private func listen() {
        state.withLock { state in
            state.sources = [SIGTERM, SIGINT, SIGHUP].filter { !Signals.isIgnored($0) }.map { number in
                // Until the source is active, a SIGHUP is noted, if it does not end this command.
                if number != SIGHUP || !state.leasesWork { signal(number, SIG_IGN) }
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                source.setEventHandler { [self] in received(number) }
                source.activate()
                return source
            }
        }
    }

    private func received(_ number: Int32) {
        if number == SIGHUP, hungUp() { return }
        let now = ContinuousClock.now
        let (first, drains, limit, leasesWork) = state.withLock { state in
            defer { state.first = state.first ?? (number, now) }
            return (state.first, state.drains, state.limit, state.leasesWork)
        }
        // The work that a role leaves is leased, and comes again. A command that does one thing has not done it.
        let code: Int32 = number == SIGINT ? 130 : leasesWork ? 0 : 1
        if let first {
            // `timeout` signals the process and then its group, which counts as one signal.
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

    /// - Returns: false if nothing is read again. Then the loss of the terminal ends the command.
    private func hungUp() -> Bool {
        let (action, isServing) = state.withLock { state in
            state.wasHungUp = true
            return (state.hangup, state.leasesWork)
        }
        action?()
        return isServing
    }
}
