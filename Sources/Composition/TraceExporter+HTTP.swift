import Foundation
import Logging
import Services
import Settings
import Telemetry
import Waiting

extension TraceExporter {
    /// How long a collector may take to answer. Meanwhile spans gather.
    private static let timeout = Duration.seconds(10)

    /// Sends to the collector that the settings name.
    convenience init(collectorOf settings: TraceSettings, version: String, time: any Timekeeper, log: Logger) {
        let resource = TraceResource(
            serviceName: settings.serviceName, version: version, host: ProcessInfo.processInfo.hostName,
            process: Int(ProcessInfo.processInfo.processIdentifier))
        let http = HTTPClient()
        self.init(resource, time: time, log: log) { body in
            let request = HTTPRequest(
                url: settings.url, content: .json(body), timeout: TraceExporter.timeout, bodyLimit: 1 << 20)
            let status = try await http.perform(request).status
            guard (200..<300).contains(status) else { throw TraceRefusal(status: status) }
        }
    }
}

/// A collector answered, but did not accept the traces.
private struct TraceRefusal: Error, CustomStringConvertible {
    var status: Int

    var description: String { "the collector of OTEL_EXPORTER_OTLP_ENDPOINT answered \(status)" }
}
