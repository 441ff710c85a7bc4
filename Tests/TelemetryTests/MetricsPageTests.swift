import Foundation
import Testing

@testable import Telemetry

@Suite("docs/metrics.md")
struct MetricsPageTests {
    private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/metrics.md").standardizedFileURL.path

    private let definitions = FarmMetrics(version: "").registry.definitions

    @Test("is what the list of metrics says; `make docs` writes it")
    func page() throws {
        let page = MetricsPage(definitions).text
        if ProcessInfo.processInfo.environment["FARM_WRITE_DOCS"] != nil {
            try Data(page.utf8).write(to: URL(fileURLWithPath: MetricsPageTests.path))
        }
        let written = try String(contentsOfFile: MetricsPageTests.path, encoding: .utf8)
        #expect(written == page, "docs/metrics.md is stale: make docs")
    }

    @Test("names follow Prometheus' conventions")
    func names() {
        for metric in definitions {
            #expect(metric.name.wholeMatch(of: /farm_[a-z_]+/) != nil)
            #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
            #expect(!metric.help.isEmpty && metric.help.hasSuffix("."), "\(metric.name)")
            #expect(Set(metric.values.keys).isSubset(of: metric.labels), "\(metric.name)")
            if case .histogram(let bounds) = metric.kind {
                #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count && !bounds.isEmpty)
            }
        }
    }

    @Test("no label is an id")
    func labels() {
        let labels = Set(definitions.flatMap(\.labels))
        #expect(
            labels == [
                "version", "queue", "service", "outcome", "kind", "state", "reason", "operation", "fate", "host",
                "route",
                "code", "source",
            ])
    }
}

/// The page about the metrics, made of their list.
private struct MetricsPage {
    let definitions: [MetricDefinition]

    init(_ definitions: [MetricDefinition]) { self.definitions = definitions }

    var text: String {
        """
        # Metrics

        Written by `make docs` from the list in Sources/Telemetry/Metrics/FarmMetrics.swift; change that, not this page.
        How to switch metrics on, the dashboard and the alerts: [operating.md](operating.md#metrics).

        `service` is a service, one of the roles `bbox_merger`, `spatial_enrichment` and `consensus`, or `callbacks`, which posts
        webhooks; `queue` is a queue, `host` a machine. No label is the id of an image, a job or a worker. Times are in seconds. The series of
        a role or a service are there, with the value 0, from its first event on. Others appear when what they count happens for the
        first time.

        | Name | Type | Labels | What it tells |
        | --- | --- | --- | --- |
        \(definitions.map(row).joined(separator: "\n"))

        ## Buckets

        | Histogram | Upper bounds |
        | --- | --- |
        \(definitions.compactMap(buckets).joined(separator: "\n"))

        """
    }

    private func row(_ metric: MetricDefinition) -> String {
        let labels = metric.labels.map { label in
            "`\(label)`" + (metric.values[label].map { " (" + $0.joined(separator: ", ") + ")" } ?? "")
        }
        return "| `\(metric.name)` | \(metric.kind.word) | \(labels.joined(separator: ", ")) | \(metric.help) |"
    }

    private func buckets(_ metric: MetricDefinition) -> String? {
        guard case .histogram(let bounds) = metric.kind else { return nil }
        return "| `\(metric.name)` | \(bounds.map(ExpositionText.number).joined(separator: ", ")) |"
    }
}
