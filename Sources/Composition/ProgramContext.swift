import Logging
import Pipeline
import Settings
import Telemetry
import Waiting

/// What all parts of one process share: its settings, its clock, its log and its metrics.
package struct ProgramContext: Sendable {
    /// Read once, when the process began.
    package let settings: Settings
    /// The version of this program.
    package let version: String
    /// Its clock.
    package let time: any Timekeeper = SystemTime()
    /// nil if METRICS_LISTEN is not set. Then nothing is counted.
    package let metrics: ProcessMetrics?
    /// Records the spans of the process. It is off if OTEL_EXPORTER_OTLP_ENDPOINT is not set.
    package let tracer: Tracer
    private let exporter: TraceExporter?
    private let makeLog: @Sendable (String) -> Logger

    /// - Parameters:
    ///   - version: the version of this program.
    ///   - makeLog: makes a log with a label.
    package init(settings: Settings, version: String, log makeLog: @escaping @Sendable (String) -> Logger) {
        self.settings = settings
        self.version = version
        metrics = settings.metricsListen == nil ? nil : ProcessMetrics(version: version, time: time)
        self.makeLog = makeLog
        let (time, log) = (time, makeLog("traces"))
        exporter = settings.traces.map { TraceExporter(collectorOf: $0, version: version, time: time, log: log) }
        tracer = Tracer(ratio: settings.traces?.ratio ?? 0, sink: exporter)
    }

    /// The event stream of a part of the program, with all sinks of this process.
    /// - Parameter sinks: additional sinks of this part.
    package func events(_ source: EventSource = EventSource(), to sinks: [any EventSink] = []) -> EventStream {
        EventStream(source, to: sinks + (metrics.map { [$0.sink] } ?? []))
    }

    /// Sends traces while `body` runs, if there is a collector.
    package func exportingTraces<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        guard let exporter else { return try await body() }
        return try await exporter.during(body)
    }

    /// The log of a part of the program.
    package func log(_ label: String) -> Logger { makeLog(label) }
}
