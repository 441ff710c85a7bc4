import Foundation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Pipeline

extension API {
    /// Dead letters: looked at, requeued, dropped.
    var deadRoutes: [Route] {
        [
            Route(path: "/dead", handlers: [.get: dead]),
            Route(
                path: "/dead/requeue", handlers: [.post: { request, _ in try await act(request, isDrop: false) }]),
            Route(path: "/dead/drop", handlers: [.post: { request, _ in try await act(request, isDrop: true) }]),
        ]
    }

    private static let filter: Set<String> = ["services", "reasons", "images", "before", "after"]

    @Sendable private func dead(_ request: Request, _ context: Context) async throws -> Response {
        let parameters = try QueryParameters(request, known: API.filter.union(["limit", "cursor"]))
        let images = try parameters.list("images")
        if let images, !images.allSatisfy({ QueryParameters.number($0).map { $0 > 0 } ?? false }) {
            throw Problem(.badParameter, "they are ids of images with commas between them", parameter: "images")
        }
        let choice = DeadLetterChoice(
            services: try parameters.list("services")?.joined(separator: ","),
            reasons: try parameters.list("reasons"), images: images ?? [],
            before: try parameters.moment("before"), after: try parameters.moment("after"),
            limit: try parameters.integer("limit", in: 1...1000) ?? 100)
        let start = try parameters.text("cursor", upTo: 360).map { text throws(Problem) in
            try API.place(text, .badParameter)
        }
        return try await turn.run {
            let known = try await KnownQueues(services, parts)
            let answer: DeadLook.Answer
            do {
                answer = try await DeadLook(choice, parts, known, from: start).run(keeping: true)
            } catch let fault as OperationFault where fault.kind == .unusable {
                throw Problem(.badParameter, fault.message, parameter: "services")
            }
            if let failure = answer.failure { throw failure }
            return Response(
                .object([
                    "dead": .array(
                        answer.letters.map { .object($0.members(service: known.service(of: $0.queue))) }),
                    "total": .int(Int64(answer.total)), "seen": .int(Int64(answer.tally.seen)),
                    "complete": .bool(answer.next == nil), "next": .optional(answer.next?.text),
                ]))
        }
    }

    /// - Throws: `Problem` for what no answer has given as next.
    private static func place(_ text: String, _ kind: Problem.Kind) throws(Problem) -> DeadPlace {
        guard let place = DeadPlace(text) else {
            throw Problem(kind, "it is none that an answer has given as next", parameter: "cursor")
        }
        return place
    }

    private func act(_ request: Request, isDrop: Bool) async throws -> Response {
        _ = try QueryParameters(request)
        let body = try await RequestObject(request, known: API.filter.union(["limit", "cursor", "dry_run", "all"]))
        let choice = DeadLetterChoice(
            services: try body.texts("services", upTo: 50)?.joined(separator: ","), reasons: try body.texts("reasons"),
            images: try body.ids("images")?.map { String($0) } ?? [], before: try body.moment("before"),
            after: try body.moment("after"), limit: try body.integer("limit", in: 1...10_000) ?? 1000)
        let start = try body.text("cursor", upTo: 360).map { text throws(Problem) in try API.place(text, .badBody) }
        let isDryRun = try body.flag("dry_run") ?? false
        let isOfAll =
            choice.services == nil && choice.reasons == nil && choice.images.isEmpty && choice.before == nil
            && choice.after == nil
        guard try body.flag("all") ?? false == isOfAll else {
            throw Problem(.badBody, "it needs a filter, or \"all\": true, and not both")
        }
        return try await turn.run {
            let known = try await KnownQueues(services, parts)
            let look = try await DeadLook(choice, parts, known, from: start)
            let act: DeadRound.Act =
                isDryRun ? DeadRound.counting : isDrop ? DeadRound.dropping : DeadRound.requeuing { time.now() }
            let answer =
                isDryRun
                ? await look.run(act)
                : try await store().auditing(isDrop ? "dead drop" : "dead requeue", of: choice.text, by: API.who) {
                    begins in
                    await look.run { browsing, found in
                        try await begins()
                        return try await act(browsing, found)
                    }
                } outcome: {
                    ($0.tally.done, $0.failure)
                }
            if let failure = answer.failure { throw failure }
            let members = answer.tally.json(isDrop ? "dropped" : "requeued", isDryRun: isDryRun).objectValue ?? []
            let rest = [
                JSON.Member("complete", .bool(answer.next == nil)),
                JSON.Member("next", .optional(answer.next?.text)),
            ]
            return Response(.object(members + rest))
        }
    }
}
