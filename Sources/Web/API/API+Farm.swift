import Foundation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Pipeline
import ServiceLifecycle

extension API {
    /// What is known of the farm as a whole.
    var farmRoutes: [Route] {
        [
            Route(
                path: "/status",
                handlers: [
                    .get: { request, _ in
                        _ = try QueryParameters(request)
                        return Response(try API.status(await board.latest()))
                    }
                ]),
            Route(
                path: "/workers",
                handlers: [
                    .get: { request, _ in
                        _ = try QueryParameters(request)
                        return Response(try API.workers(await board.latest()))
                    }
                ]),
            Route(
                path: "/events",
                handlers: [
                    .get: { request, _ in
                        _ = try QueryParameters(request)
                        return events()
                    }
                ]),
        ]
    }

    /// As `farm status --json` has it, and when it was seen.
    private static func status(_ view: FarmView) throws -> JSON {
        let members = try view.status.get().json.objectValue ?? []
        return .object([JSON.Member("seen_at", .string(Timestamp.iso8601(view.seen)))] + members)
    }

    private static func workers(_ view: FarmView) throws -> JSON {
        let workers = try view.workers.get()
        return .object([
            "seen_at": .string(Timestamp.iso8601(view.seen)), "workers": .array(workers.map(worker)),
        ])
    }

    private static func worker(_ worker: RegisteredWorker) -> JSON {
        let figures = worker.figures
        let lastJob = figures.lastJob.map(Timestamp.iso8601)
        let rate: JSON = figures.rate.map(JSON.rounded) ?? .null
        return .object([
            "worker_id": .string(worker.workerID), "service": .string(worker.service), "host": .string(worker.host),
            "queue": .string(worker.queue), "state": .string(worker.condition.state.rawValue),
            "reason": .optional(worker.condition.reason), "control_revision": .number(worker.revision),
            "version": .optional(figures.version), "concurrency": .number(figures.concurrency),
            "completed": .number(figures.completed), "done_per_second": rate, "last_job_at": .optional(lastJob),
        ])
    }

    /// The status whenever there is a new one, by server-sent events (HTML Standard, section 9.2).
    private func events() -> Response {
        let views = liveViews(of: board, in: streams)
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"],
            body: ResponseBody { writer in
                for await view in views.cancelOnGracefulShutdown() {
                    guard let view else {
                        try await writer.write(ByteBuffer(string: ": still here\n\n"))
                        continue
                    }
                    let event: (name: String, data: JSON)
                    do { event = ("status", try API.status(view)) } catch { event = ("fault", Problem(error).json) }
                    let text = "id: \(view.revision)\nevent: \(event.name)\ndata: \(event.data.text)\n\n"
                    try await writer.write(ByteBuffer(string: text))
                }
                try await writer.finish(nil)
            })
    }
}
