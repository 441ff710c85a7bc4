import ArgumentParser
import Composition
import Foundation
import Logging
import Operations
import Pipeline
import Settings
import Waiting

/// What every command that touches queue or store accepts.
struct SettingsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Read settings from this file instead of .env in the working directory.", valueName: "file"))
    var envFile: String?

    /// Reads and checks everything.
    /// - Throws: `CommandFailure` with all faults in one message.
    func load() throws -> Settings {
        do {
            return try Settings.load(
                environment: try ProcessEnvironment.variables(), workingDirectory: try WorkingDirectory.path(),
                environmentFile: envFile)
        } catch let failure as CommandFailure {
            throw failure
        } catch let error as SettingsFault {
            // A line for each; Settings writes none that what it quotes could break.
            throw CommandFailure(exitCode: 2, message: error.description)
        }
    }
}

/// One run of the program before anything is opened: its settings, which are read here and nowhere else, and its log.
struct SettledSession: Sendable {
    let context: ProgramContext
    let output: LogOutput

    /// - Parameter need: whether it can do without its LOG_FILE.
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

    /// Opens what a command works with, runs `body` and closes what was opened.
    /// - Parameters:
    ///   - need: whether its metrics are served meanwhile, where METRICS_LISTEN is set; nil for what does one thing and ends.
    ///   - open: asks for the parts that the command works with.
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

/// One run of the program: its settings, its log and the parts that it opened.
struct OpenSession<Parts: Sendable>: Sendable {
    let settled: SettledSession
    let backends: Parts
    /// nil for what does one thing and ends.
    let metricsNeed: MetricsNeed?

    var context: ProgramContext { settled.context }
    var settings: Settings { settled.settings }
    var output: LogOutput { settled.output }
    var time: any Timekeeper { settled.time }

    func log(_ label: String) -> Logger { settled.log(label) }

    /// Opens the session, runs `body` and closes what was opened.
    /// - Parameters:
    ///   - need: whether it can do without its LOG_FILE.
    ///   - metrics: whether its metrics are served meanwhile; nil for what does one thing and ends.
    ///   - open: asks for the parts that the command works with.
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
    /// For commands that do one thing and end: a server that is out of reach is their failure.
    static func with<Value: Sendable>(
        _ options: SettingsOptions, _ body: (FarmSession) async throws -> Value
    ) async throws -> Value {
        try await with(options, opening: Backends.open, body)
    }
}

extension SettledSession {
    /// For roles: servers that are out of reach are waited for, since after a power cut boxes start in any order. SIGHUP
    /// opens the log file again, from the start.
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
