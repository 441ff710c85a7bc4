import ArgumentParser
import Foundation
import Model
import Pipeline
import Settings

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Queue depths, results by service and status, totals of boxes, consensus and enrichments.",
        discussion: """
            Examples:
              farm status
              farm status --watch
              farm status --json | jq '.queues[] | select(.dead > 0)'
            """)

    @Flag(help: "Draw it again every two seconds, until Ctrl-C.") var watch = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await OpenSession.with(options, opening: ReadingBackends.open) { session in
            try await Redrawing(isWatched: watch, isJSON: json).run {
                let status = try await Status(session)
                return json ? status.json.text : status.text
            }
        }
    }
}

/// What `farm status` shows.
struct Status {
    private let queues: [(service: String, depth: QueueDepth)]
    /// Why the queue takes no messages.
    private let blockade: String?
    private let services: [ServiceReport]
    private let totals: Totals

    init(_ session: OpenSession<ReadingBackends>) async throws {
        let known = try await KnownQueues(session.settings, session.backends.queue)
        let depths = try await session.backends.queue.depths(of: known.all.map(\.queue))
        // A queue of another box's service is shown as soon as it holds something.
        queues = zip(known.all, depths).enumerated().filter { index, pair in
            index < known.own.count || pair.1.waiting + (pair.1.inFlight ?? 0) + pair.1.dead > 0
        }.map { ($1.0.service, $1.1) }
        blockade = try await session.backends.queue.blockade()
        services = try await session.backends.store.services()
        totals = try await session.backends.store.totals()
    }

    var json: JSON {
        .object([
            "queues": .array(
                queues.map { service, depth in
                    .object([
                        "queue": .string(depth.queue), "service": .string(service),
                        "waiting": .int(Int64(depth.waiting)),
                        "in_flight": depth.inFlight.map { .int(Int64($0)) } ?? .null, "dead": .int(Int64(depth.dead)),
                    ])
                }),
            "blocked": .optional(blockade),
            "results": .array(
                services.map { report in
                    .object([
                        "service": .string(report.service), "success": .int(Int64(report.success)),
                        "error": .int(Int64(report.error)), "last": .optional(report.last.map(Timestamp.iso8601)),
                        "p50": report.p50.map(JSON.double) ?? .null, "p95": report.p95.map(JSON.double) ?? .null,
                    ])
                }),
            "totals": .object([
                "images": .int(Int64(totals.images)), "results": .int(Int64(totals.results)),
                "merged_boxes": .int(Int64(totals.mergedBoxes)), "consensus": .int(Int64(totals.consensus)),
                "postprocessing": .int(Int64(totals.postprocessing)),
            ]),
        ])
    }

    var text: String {
        var queueTable = Table([("queue", .left), ("waiting", .right), ("in flight", .right), ("dead", .right)])
        for (_, depth) in queues {
            queueTable.add([depth.queue, "\(depth.waiting)", depth.inFlight.map(String.init) ?? "-", "\(depth.dead)"])
        }
        var resultTable = Table([
            ("service", .left), ("success", .right), ("error", .right), ("p50 s", .right), ("p95 s", .right),
            ("last (UTC)", .left),
        ])
        for report in services {
            resultTable.add([
                report.service, "\(report.success)", "\(report.error)", Status.seconds(report.p50),
                Status.seconds(report.p95),
                report.last.map(Timestamp.iso8601) ?? "-",
            ])
        }
        let sums =
            "\(totals.images) images, \(totals.results) results, \(totals.mergedBoxes) merged boxes, "
            + "\(totals.consensus) consensus, \(totals.postprocessing) enrichments"
        let queues = queueTable.text + (blockade.map { "\nthe broker takes no messages: \($0)" } ?? "")
        return [queues, services.isEmpty ? "no results yet" : resultTable.text, sums].joined(separator: "\n\n")
    }

    private static func seconds(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "-" }
}
