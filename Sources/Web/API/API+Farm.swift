import Foundation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Pipeline

extension API {
    /// What is known of the farm as a whole.
    var farmRoutes: [Route] {
        let feed = EventFeed(of: board, in: streams, text: API.event)
        return [
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
                        return feed.answer()
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

    /// The status whenever there is a new one.
    private static func event(_ view: FarmView) -> String {
        let event: (name: String, data: JSON)
        do { event = ("status", try status(view)) } catch { event = ("fault", Problem(error).json) }
        return "id: \(view.revision)\nevent: \(event.name)\ndata: \(event.data.text)\n\n"
    }
}
