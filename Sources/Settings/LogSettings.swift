/// The settings of the log: LOG_LEVEL, LOG_FORMAT, LOG_FILE.
public struct LogSettings: Sendable, Equatable {
    /// The least important level that is written.
    public enum Level: String, Sendable, CaseIterable {
        case debug = "DEBUG"
        case info = "INFO"
        case warning = "WARNING"
        case error = "ERROR"
        case critical = "CRITICAL"
    }

    /// The format of log lines.
    public enum Format: String, Sendable, CaseIterable {
        case text
        case json
    }

    /// INFO unless set.
    public var level: Level
    /// Text unless set.
    public var format: Format
    /// A file to which the log is appended as well. It is opened again on SIGHUP.
    public var file: String?
}

extension LogSettings {
    init(_ variables: Variables) {
        let levels: KeyValuePairs<String, Level> = [
            "DEBUG": .debug, "INFO": .info, "WARNING": .warning, "WARN": .warning, "ERROR": .error,
            "CRITICAL": .critical,
        ]
        level = variables.choice(.logLevel, levels) ?? .info
        if variables.text(.logFormat)?.lowercased() == "detailed" {
            variables.findings.warning("LOG_FORMAT", "detailed, of the older scripts, is taken as text")
            format = .text
        } else {
            format = variables.choice(.logFormat, ["text": .text, "json": .json]) ?? .text
        }
        file = variables.text(.logFile)
    }
}
