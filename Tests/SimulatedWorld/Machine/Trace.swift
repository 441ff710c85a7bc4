import Foundation
import Logging

/// What happens in a run, line by line, where somebody wants to see it.
final class Trace: Sendable {
    let isWanted: Bool
    private let scheduler: Scheduler

    init(isWanted: Bool, scheduler: Scheduler) {
        self.isWanted = isWanted
        self.scheduler = scheduler
    }

    func say(_ who: String, _ what: @autoclosure () -> String) {
        guard isWanted else { return }
        let time = String(format: "%10.3f", scheduler.now.seconds)
        print("\(time)  \(who.padding(toLength: 10, withPad: " ", startingAt: 0)) \(what())")
    }

    /// A logger whose lines are part of the trace.
    func logger(of who: String) -> Logger {
        guard isWanted else { return Logger(label: who) { _ in SwiftLogNoOpLogHandler() } }
        return Logger(label: who) { TraceHandler(who: $0, trace: self) }
    }
}

private struct TraceHandler: LogHandler {
    let who: String
    let trace: Trace
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    init(who: String, trace: Trace) {
        self.who = who
        self.trace = trace
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { trace.say(who, "\(event.level): \(event.message)") }
}
