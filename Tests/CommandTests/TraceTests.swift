import Foundation
import Model
import Testing

@Suite("OTEL_EXPORTER_OTLP_ENDPOINT")
struct TraceTests {
    /// A span as the collector's double has written it.
    private struct Sent {
        var trace: String
        var id: String
        var parent: String?
        var links: [String]
        var name: String
        var kind: Int
        var attributes: [String: String]

        init(_ line: Substring) throws {
            let json = try JSON(parsing: String(line))
            trace = try #require(json["traceId"]?.stringValue)
            id = try #require(json["spanId"]?.stringValue)
            parent = json["parentSpanId"]?.stringValue
            links = (json["links"]?.arrayValue ?? []).compactMap { $0["spanId"]?.stringValue }
            name = try #require(json["name"]?.stringValue)
            kind = try #require(json["kind"]?.integerValue)
            attributes = (json["attributes"]?.arrayValue ?? []).reduce(into: [:]) { attributes, attribute in
                guard let key = attribute["key"]?.stringValue else { return }
                attributes[key] = attribute["value"]?["stringValue"]?.stringValue
            }
            #expect(trace.utf8.count == 32 && id.utf8.count == 16)
            let times = ["startTimeUnixNano", "endTimeUnixNano"].compactMap {
                json[$0]?.stringValue.flatMap(UInt64.init)
            }
            #expect(times.count == 2 && times[0] <= times[1])
        }
    }

    private func spans(_ workplace: Workplace) throws -> [Sent] {
        let text = try String(contentsOfFile: workplace.path("spans"), encoding: .utf8)
        return try text.split(separator: "\n").map { try Sent($0) }
    }

    private func collector(_ port: Int, in workplace: Workplace) async throws -> Running {
        let ready = workplace.path("collector-ready")
        let running = try Running(
            URL(fileURLWithPath: "/usr/bin/python3"),
            [
                Program.tool("collector.py"), "--port", "\(port)", "--spans", workplace.path("spans"), "--ready-file",
                ready,
            ], in: workplace.folder, ["PATH": "/usr/bin:/bin"])
        try await eventually("the collector listens") {
            FileManager.default.fileExists(atPath: ready) || !running.isRunning
        }
        return running
    }

    @Test(
        "traces go from produce over RabbitMQ to each service, and merger, enricher and consensus link to their triggers"
    )
    func wholeWay() async throws {
        let site = try await Site()
        let scene = try await Scene(["yolov8", "clip", "colors"], photos: 0)
        let work = scene.workplace
        let port = try #require(try ServiceDoubles.freePorts(1).first)
        try site.write(work, other: ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(port)/"])
        let collector = try await collector(port, in: work)
        try work.photos(["photos/1.jpg"])
        let imported = try await work.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")

        let spans = try spans(work)
        func all(_ name: String) -> [Sent] { spans.filter { $0.name == name } }
        for service in ["yolov8", "clip"] {
            let sent = try #require(all("send queue_\(service)").first)
            #expect(sent.parent == nil)
            #expect(sent.kind == 4)
            let processed = try #require(all("process queue_\(service)").first)
            #expect(processed.kind == 5)
            for (span, operation) in [(sent, "send"), (processed, "process")] {
                #expect(span.attributes["messaging.operation.name"] == operation)
                #expect(span.attributes["messaging.system"] != nil)
                #expect(span.attributes["messaging.destination.name"] == "queue_\(service)")
            }
            #expect(processed.trace == sent.trace)
            #expect(processed.parent == sent.id)
            let call = try #require(spans.first { $0.name == "POST" && $0.parent == processed.id })
            #expect(call.kind == 3)
            #expect(call.attributes["http.request.method"] == "POST")
            let url = try #require(call.attributes["url.full"])
            #expect(url.hasPrefix("http://127.0.0.1:") && !url.contains("?"))
            #expect(call.trace == sent.trace)
            // The service was told the call's own place.
            #expect(try await scene.doubles.calls(of: service).traces == ["00-\(call.trace)-\(call.id)-01"])
        }
        let detector = try #require(all("process queue_yolov8").first)
        let others = ["clip", "colors"].flatMap { all("process queue_\($0)") }
        #expect(others.count == 2)
        let mergers = all("process queue_bbox_merge")
        #expect(mergers.flatMap(\.links) == [detector.id])
        #expect(mergers.allSatisfy { $0.parent == nil && $0.trace != detector.trace })
        let merger = try #require(mergers.first)
        let enricher = try #require(all("process queue_spatial_enrichment").first)
        #expect(enricher.links == [merger.id])
        #expect(spans.contains { $0.name == "POST" && $0.parent == enricher.id })
        let votes = all("process queue_consensus")
        #expect(Set(votes.flatMap(\.links)) == Set(others.map(\.id) + [enricher.id]))

        collector.signal(SIGTERM)
        _ = try await collector.finished()
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("a collector that is away costs the spans, nothing else; it is told once")
    func away() async throws {
        let scene = try await Scene(["clip"], photos: 3)
        let port = try #require(try ServiceDoubles.freePorts(1).first)
        let endpoint = "http://user:geheim@127.0.0.1:\(port)"
        try scene.workplace.write(".env", "OTEL_EXPORTER_OTLP_ENDPOINT=\(endpoint)\n")
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(up.error.occurrences(of: "traces are not taken, work goes on") == 1, "\(up.error)")
        #expect(!up.error.contains("geheim"))
        #expect(try await scene.workplace.rows("SELECT count(*) FROM results WHERE status = 'success'") == ["3"])
        try await scene.doubles.stop()
    }

    @Test("an endpoint that is no URL is refused, and not shown")
    func refused() async throws {
        let workplace = try Workplace()
        try workplace.write(".env", "OTEL_EXPORTER_OTLP_ENDPOINT=geheim:4318\n")
        let status = try await workplace.farm("status")
        #expect(status.status == 2)
        #expect(status.error.contains("OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL of a collector"))
        #expect(!status.error.contains("geheim"))
    }
}
