import Logging
import Settings
import Waiting

/// What all parts of one process share: its settings, its clock and its log.
package struct ProgramContext: Sendable {
    package let settings: Settings
    package let time: any Timekeeper = SystemTime()
    private let makeLog: @Sendable (String) -> Logger

    /// - Parameter makeLog: a log under a label.
    package init(settings: Settings, log makeLog: @escaping @Sendable (String) -> Logger) {
        self.settings = settings
        self.makeLog = makeLog
    }

    /// The log of a part of the program.
    package func log(_ label: String) -> Logger { makeLog(label) }
}
