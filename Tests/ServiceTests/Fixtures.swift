import Doubles
import Foundation
import Logging
import Model
import Pipeline
import Synchronization
import Waiting

@testable import Services

/// A service client over a misbehaving server.
struct Bench {
    let client: ServiceClient
    /// Moves the time of the client, unless it was given another one.
    let time = ManualTime()
    let lines: LogLines

    init(
        port: Int, host: String = "127.0.0.1", timeout: Duration = .seconds(30), maxTries: Int = 3,
        retryDelay: Duration = .seconds(4), concurrency: Int = 4, random: Double = 1,
        control: ControlGate = .free(), time: (any Timekeeper)? = nil
    ) {
        let lines = LogLines()
        self.lines = lines
        client = ServiceClient(
            endpoint: ServiceEndpoint(
                name: "blip", host: host, port: port, timeout: timeout, maxTries: maxTries, retryDelay: retryDelay,
                concurrency: concurrency),
            client: HTTPClient(), time: time ?? self.time, randomness: { random },
            log: Logger(label: "test") { _ in lines.handler }, control: control)
    }

    func analyze(_ url: String = "http://pictures/1.jpg", key: UUID = UUID()) async -> AnalysisOutcome {
        await client.analyze(.url(url), key: key)
    }

    /// Returns when so many jobs wait for one of the service's slots.
    func slotWaiters(_ count: Int) async {
        while client.slots.waiting != count { await Task.yield() }
    }
}

/// A clock whose sleeps end at once and move its hands.
final class InstantTime: Timekeeper {
    private let state = Mutex((now: Date(timeIntervalSince1970: 1_790_000_000), slept: [Duration]()))

    var slept: [Duration] { state.withLock { $0.slept } }

    func now() -> Date { state.withLock { $0.now } }

    func sleep(_ duration: Duration) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            state.now += duration.seconds
            state.slept.append(duration)
        }
    }
}

extension AnalysisOutcome {
    /// For good, or undecided.
    var failure: AnalysisFailure? {
        switch self {
        case .failed(let failure), .undecided(let failure): failure
        default: nil
        }
    }
    var isUndecided: Bool { if case .undecided = self { true } else { false } }
    var answer: Answer? { if case .answered(let answer) = self { answer } else { nil } }
    var unavailable: String? { if case .unavailable(let reason) = self { reason } else { nil } }
}

/// What was logged, `warning: text` a line.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    func count(_ part: String) -> Int { all.count { $0.contains(part) } }

    var handler: Handler { Handler(lines: self) }

    struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.level): \(event.message)") }
        }
    }
}
