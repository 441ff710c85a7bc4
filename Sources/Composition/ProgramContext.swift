import Logging
import Pipeline
import Settings
import Waiting

/// What all parts of one process share: its settings, its clock, its log and its metrics.
package struct ProgramContext: Sendable {
    package let settings: Settings
    package let time: any Timekeeper = SystemTime()
    /// nil where METRICS_LISTEN is not set: then nothing is counted.
    package let metrics: ProcessMetrics?
    private let makeLog: @Sendable (String) -> Logger

    /// - Parameters:
    ///   - version: of this program.
    ///   - makeLog: a log under a label.
    package init(settings: Settings, version: String, log makeLog: @escaping @Sendable (String) -> Logger) {
        self.settings = settings
        metrics = settings.metricsListen == nil ? nil : ProcessMetrics(version: version, time: time)
        self.makeLog = makeLog
    }

    /// The events of a part of the program, on their way to all that listen in this process.
    /// - Parameter sinks: those of this part.
    package func events(_ source: EventSource = EventSource(), to sinks: [any EventSink] = []) -> EventStream {
        EventStream(source, to: sinks + (metrics.map { [$0.sink] } ?? []))
    }

    /// The log of a part of the program.
    package func log(_ label: String) -> Logger { makeLog(label) }
}
