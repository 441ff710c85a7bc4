import ArgumentParser
import Composition
import Foundation
import Logging
import Operations
import Pipeline
import Settings
import Waiting

/// The options of every command that uses the queue or the store.
struct SettingsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Read settings from this file instead of .env in the working directory.", valueName: "file"))
    var envFile: String?

    /// Reads and checks the settings.
    /// - Throws: `CommandFailure` with all faults in one message.
    func load() throws -> Settings {
        do {
            return try Settings.load(
                environment: try ProcessEnvironment.variables(), workingDirectory: try WorkingDirectory.path(),
                environmentFile: envFile)
        } catch let failure as CommandFailure {
            throw failure
        } catch let error as SettingsFault {
            // One line for each fault. Settings writes none that quoted text could break.
            throw CommandFailure(exitCode: 2, message: error.description)
        }
    }
}

/// One run of the program before anything is opened: its settings, which are read only here, and its log.
struct SettledSession: Sendable {
    let context: ProgramContext
    let output: LogOutput

    /// - Parameter need: whether the command can do without its LOG_FILE.
    /// - Throws: `CommandFailure`.
    init(_ options: SettingsOptions, logs need: LogOutput.Need = .always) throws {
        let settings = try options.load()
        let output = try LogOutput(settings.log, need)
        self.output = output
        context = ProgramContext(settings: settings, version: FarmVersion.number) { Logger($0, output, settings.log) }
    }

    var settings: Settings { context.settings }
    var time: any Timekeeper { context.time }

    func log(_ label: String) -> Logger { context.log(label) }

    /// Opens what a command needs, runs `body` and closes what was opened.
    /// - Parameters:
    ///   - need: whether its metrics are served meanwhile, if METRICS_LISTEN is set. nil for commands that do one thing
    ///     and end.
    ///   - open: opens the parts that the command needs.
    func with<Parts: Sendable, Value: Sendable>(
        metrics need: MetricsNeed? = nil, opening open: @Sendable (Connections) async throws -> Parts,
        _ body: (OpenSession<Parts>) async throws -> Value
    ) async throws -> Value {
        for warning in settings.warnings { log("farm").warning("\(warning)") }
        return try await servingMetrics(need) {
            try await context.exportingTraces { try await opened(need, open, body) }
        }
    }

    private func opened<Parts: Sendable, Value: Sendable>(
        _ need: MetricsNeed?, _ open: @Sendable (Connections) async throws -> Parts,
        _ body: (OpenSession<Parts>) async throws -> Value
    ) async throws -> Value {
        let connections = Connections(context)
        do {
            let parts = try await open(connections)
            let value = try await body(OpenSession(settled: self, backends: parts, metricsNeed: need))
            await connections.close()
            return value
        } catch {
            await connections.close()
            switch error {
            case let fault as PortFault: throw CommandFailure(fault)
            case let fault as OperationFault where fault.kind == .missing:
                throw CommandFailure.failed("\(fault.message) (\(settings.storeText))")
            default: throw error
            }
        }
    }
}

/// One run of the program: its settings, its log, and the parts that it opened.
struct OpenSession<Parts: Sendable>: Sendable {
    let settled: SettledSession
    let backends: Parts
    /// nil for commands that do one thing and end.
    let metricsNeed: MetricsNeed?

    var context: ProgramContext { settled.context }
    var settings: Settings { settled.settings }
    var output: LogOutput { settled.output }
    var time: any Timekeeper { settled.time }

    func log(_ label: String) -> Logger { settled.log(label) }

    /// Opens the session, runs `body` and closes what was opened.
    /// - Parameters:
    ///   - need: whether the command can do without its LOG_FILE.
    ///   - metrics: whether its metrics are served meanwhile. nil for commands that do one thing and end.
    ///   - open: opens the parts that the command needs.
    static func with<Value: Sendable>(
        _ options: SettingsOptions, logs need: LogOutput.Need = .always, metrics: MetricsNeed? = nil,
        opening open: @Sendable (Connections) async throws -> Parts,
        _ body: (OpenSession) async throws -> Value
    ) async throws -> Value {
        try await SettledSession(options, logs: need).with(metrics: metrics, opening: open, body)
    }
}

/// A session with queue, store and heartbeats.
typealias FarmSession = OpenSession<Backends>

extension OpenSession<Backends> {
    /// For commands that do one thing and end. If a server is out of reach, they fail.
    static func with<Value: Sendable>(
        _ options: SettingsOptions, _ body: (FarmSession) async throws -> Value
    ) async throws -> Value {
        try await with(options, opening: Backends.open, body)
    }
}

extension SettledSession {
    /// For roles. They wait for servers that are out of reach, since after a power cut machines start in any order.
    /// From the start, SIGHUP opens the log file again.
    func serve(_ body: (FarmSession, Drain) async throws -> Void) async throws {
        let drain = Signals.shared.drain(within: settings.shutdownTimeout, leasesWork: true)
        Signals.shared.onHangup { output.reopen() }
        do {
            try await with(metrics: .always) { connections in
                guard let parts = try await drain.until({ try await Backends.openWhenReachable(connections) }) else {
                    throw CancellationError()
                }
                StartupPages.release()
                return parts
            } _: { session in
                try await session.sampling { try await body(session, drain) }
            }
        } catch is CancellationError where drain.isBegun {}
    }
}

extension Logger {
    fileprivate init(_ label: String, _ output: LogOutput, _ settings: LogSettings) {
        self.init(label: label) { LogLines(label: $0, output: output, logLevel: Logger.Level(settings.level)) }
    }
}

extension Logger.Level {
    fileprivate init(_ level: LogSettings.Level) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
