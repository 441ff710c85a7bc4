import ArgumentParser
import Foundation
import Logging
import Pipeline
import Settings
import Waiting

/// What every command that touches queue or store accepts.
struct SettingsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("File of settings, in place of .env in the working directory.", valueName: "file"))
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

/// One run of the program before anything is opened: its settings and its log.
struct SettledSession: Sendable {
    let settings: Settings
    let output: LogOutput
    let time: any Timekeeper = SystemTime()

    /// - Throws: `CommandFailure`.
    init(_ options: SettingsOptions, logs need: LogOutput.Need) throws {
        settings = try options.load()
        output = try LogOutput(settings.log, need)
    }

    func log(_ label: String) -> Logger { Logger(label, output, settings.log) }
}

/// One run of the program: its settings, its log and the backends it opened.
struct OpenSession<Parts: Sendable>: Sendable {
    let settled: SettledSession
    let backends: Parts

    var settings: Settings { settled.settings }
    var output: LogOutput { settled.output }
    var time: any Timekeeper { settled.time }

    func log(_ label: String) -> Logger { settled.log(label) }

    /// Opens the session, runs `body` and closes what was opened.
    /// - Parameters:
    ///   - need: whether it can do without its LOG_FILE.
    ///   - open: asks for the parts that the command works with.
    static func with<Value>(
        _ options: SettingsOptions, logs need: LogOutput.Need = .always,
        opening open: @Sendable (Connections) async throws -> Parts,
        _ body: (OpenSession) async throws -> Value
    ) async throws -> Value {
        try await with(try SettledSession(options, logs: need), opening: open, body)
    }

    fileprivate static func with<Value>(
        _ session: SettledSession, opening open: @Sendable (Connections) async throws -> Parts,
        _ body: (OpenSession) async throws -> Value
    ) async throws -> Value {
        let log = session.log("farm")
        for warning in session.settings.warnings { log.warning("\(warning)") }
        let connections = Connections(session.settings, time: session.time, log: log)
        do {
            let parts = try await open(connections)
            let value = try await body(OpenSession(settled: session, backends: parts))
            await connections.close()
            return value
        } catch {
            await connections.close()
            switch error {
            case let fault as PortFault: throw CommandFailure(fault)
            case let failure as CommandFailure where failure.isOfMissingRows:
                throw CommandFailure.failed("\(failure.message) (\(session.settings.storeText))")
            default: throw error
            }
        }
    }
}

/// A session with queue, store and heartbeats.
typealias Session = OpenSession<Backends>

extension OpenSession<Backends> {
    /// For commands that do one thing and end: a server that is out of reach is their failure.
    static func with<Value>(_ options: SettingsOptions, _ body: (Session) async throws -> Value) async throws -> Value {
        try await with(options, opening: Backends.open, body)
    }

    /// For roles: servers that are out of reach are waited for, since after a power cut boxes start in any order. SIGHUP
    /// opens the log file again, from the start.
    static func serve(_ options: SettingsOptions, _ body: (Session, Drain) async throws -> Void) async throws {
        let settled = try SettledSession(options, logs: .always)
        let drain = Signals.shared.drain(within: settled.settings.shutdownTimeout, leasesWork: true)
        Signals.shared.onHangup { settled.output.reopen() }
        do {
            try await with(settled) { connections in
                guard let parts = try await drain.until({ try await Waiting(connections).open() }) else {
                    throw CancellationError()
                }
                StartupPages.release()
                return parts
            } _: {
                try await body($0, drain)
            }
        } catch is CancellationError where drain.isBegun {}
    }
}

/// Opens the backends as soon as their servers are there.
private struct Waiting {
    let connections: Connections

    init(_ connections: Connections) { self.connections = connections }

    func open() async throws -> Backends {
        var backOff = BackOff(base: .milliseconds(500), limit: .seconds(10))
        var isTold = false
        while true {
            do {
                let parts = try await Backends.open(connections)
                if isTold { connections.log.notice("connected") }
                return parts
            } catch let fault as PortFault where fault.kind == .transient {
                await connections.close()
                if !isTold { connections.log.warning("waiting for it: \(fault)") }
                isTold = true
                try await connections.time.sleep(backOff.next())
            }
        }
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
