import ArgumentParser
import Foundation
import Logging
import Pipeline
import Settings

/// What every command that touches queue or store accepts.
struct SettingsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("File of settings, in place of .env in the working directory.", valueName: "file"))
    var envFile: String?

    /// Reads and checks everything.
    /// - Throws: `CommandFailure` with all faults in one message.
    func load() throws -> Settings {
        do {
            return try Settings.load(
                environment: ProcessInfo.processInfo.environment,
                workingDirectory: FileManager.default.currentDirectoryPath, environmentFile: envFile)
        } catch {
            throw CommandFailure.unusable(error.description)
        }
    }
}

/// One run of the program: its settings, its log and the backends it opened.
struct Session: Sendable {
    let settings: Settings
    let output: LogOutput
    let time: any Timekeeper
    let backends: Backends

    func log(_ label: String) -> Logger { Session.logger(label, output, settings.log) }

    /// Opens the session, runs `body` and closes what was opened.
    static func with<Value>(
        _ options: SettingsOptions, _ body: (Session) async throws -> Value
    ) async throws -> Value {
        let settings = try options.load()
        let output = try LogOutput(settings.log)
        let log = logger("farm", output, settings.log)
        for warning in settings.warnings { log.warning("\(warning)") }
        let time = SystemTime()
        let backends: Backends
        do {
            backends = try await Backends.open(settings, time: time, log: log)
        } catch let fault as PortFault {
            throw fault.kind == .unusable ? CommandFailure.unusable(fault.description) : .failed(fault.description)
        }
        let session = Session(settings: settings, output: output, time: time, backends: backends)
        do {
            let value = try await body(session)
            await backends.close()
            return value
        } catch {
            await backends.close()
            throw (error as? PortFault).map { CommandFailure.failed($0.description) } ?? error
        }
    }

    private static func logger(_ label: String, _ output: LogOutput, _ settings: LogSettings) -> Logger {
        Logger(label: label) { LogLines(label: $0, output: output, logLevel: Logger.Level(settings.level)) }
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
