import Foundation
import Model
import Pipeline

/// The process that the spans come from.
package struct TraceResource: Sendable {
    package var serviceName: String
    package var version: String
    package var host: String
    package var process: Int

    package init(serviceName: String, version: String, host: String, process: Int) {
        self.serviceName = serviceName
        self.version = version
        self.host = host
        self.process = process
    }
}

/// Spans in OTLP's JSON: identifiers in hexadecimal, times in nanoseconds as text.
enum TraceText {
    static func request(_ spans: [Span], of resource: TraceResource) -> [UInt8] {
        let scope: JSON = .object(["name": "farm", "version": .string(resource.version)])
        let attributes: [(name: String, value: Span.Value)] = [
            ("service.name", .text(resource.serviceName)), ("service.version", .text(resource.version)),
            ("host.name", .text(resource.host)), ("process.pid", .number(resource.process)),
        ]
        let scopeSpans: JSON = .object(["scope": scope, "spans": .array(spans.map(json))])
        let resourceSpans: JSON = .object([
            "resource": .object(["attributes": json(attributes)]), "scopeSpans": .array([scopeSpans]),
        ])
        return JSON.object(["resourceSpans": .array([resourceSpans])]).bytes
    }

    private static func json(_ span: Span) -> JSON {
        var members: [JSON.Member] = [
            JSON.Member("traceId", .string(span.context.traceText)),
            JSON.Member("spanId", .string(span.context.spanText)),
            JSON.Member("name", .string(span.name)), JSON.Member("kind", .int(Int64(span.kind.rawValue))),
            JSON.Member("startTimeUnixNano", .string(nanoseconds(span.began))),
            JSON.Member("endTimeUnixNano", .string(nanoseconds(max(span.began, span.ended)))),
            JSON.Member("attributes", json(span.attributes)),
        ]
        if let parent = span.parent { members.append(JSON.Member("parentSpanId", .string(parent.spanText))) }
        if !span.links.isEmpty {
            let links = span.links.map { link -> JSON in
                .object(["traceId": .string(link.traceText), "spanId": .string(link.spanText)])
            }
            members.append(JSON.Member("links", .array(links)))
        }
        if let failure = span.failure {
            members.append(JSON.Member("status", .object(["code": 2, "message": .string(failure)])))
        }
        return JSON.object(members)
    }

    private static func json(_ attributes: [(name: String, value: Span.Value)]) -> JSON {
        .array(
            attributes.map { name, value -> JSON in
                switch value {
                case .text(let text): .object(["key": .string(name), "value": .object(["stringValue": .string(text)])])
                case .number(let number):
                    .object(["key": .string(name), "value": .object(["intValue": .string(String(number))])])
                }
            })
    }

    private static func nanoseconds(_ date: Date) -> String {
        String(UInt64(max(0, date.timeIntervalSince1970) * 1_000_000) * 1000)
    }
}
