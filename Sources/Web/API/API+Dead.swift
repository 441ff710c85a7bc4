import Foundation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Pipeline

/// Lets one round through the dead letters go at a time: while it looks at letters, others cannot.
actor DeadRounds {
    private var isBusy = false

    /// - Throws: `Problem` while another one goes.
    func run<Answer: Sendable>(_ round: @Sendable () async throws -> Answer) async throws -> Answer {
        guard !isBusy else { throw Problem(.busy, "the dead letters are being looked through already") }
        isBusy = true
        defer { isBusy = false }
        return try await round()
    }
}

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
        let parameters = try QueryParameters(request, known: API.filter.union(["limit"]))
        let images = try parameters.list("images")
        if let images, !images.allSatisfy({ QueryParameters.number($0).map { $0 > 0 } ?? false }) {
            throw Problem(.badParameter, "they are ids of images with commas between them", parameter: "images")
        }
        let choice = DeadLetterChoice(
            services: try parameters.list("services")?.joined(separator: ","),
            reasons: try parameters.list("reasons"), images: images ?? [],
            before: try parameters.moment("before"), after: try parameters.moment("after"),
            limit: try parameters.integer("limit", in: 1...1000) ?? 100)
        return try await rounds.run {
            let known = try await KnownQueues(services, parts.queue())
            let answer: DeadLook.Answer
            do {
                answer = try await DeadLook(choice, parts, known).run(keeping: true)
            } catch let fault as OperationFault where fault.kind == .unusable {
                throw Problem(.badParameter, fault.message, parameter: "services")
            }
            if let failure = answer.failure { throw failure }
            return Response(
                .object([
                    "dead": .array(
                        answer.letters.map { .object($0.members(service: known.service(of: $0.queue))) }),
                    "total": .int(Int64(answer.total)), "seen": .int(Int64(answer.tally.seen)),
                    "complete": .bool(answer.isComplete),
                ]))
        }
    }

    private func act(_ request: Request, isDrop: Bool) async throws -> Response {
        _ = try QueryParameters(request)
        let body = try await RequestObject(request, known: API.filter.union(["limit", "dry_run", "all"]))
        let choice = DeadLetterChoice(
            services: try body.texts("services", upTo: 50)?.joined(separator: ","), reasons: try body.texts("reasons"),
            images: try body.ids("images")?.map { String($0) } ?? [], before: try body.moment("before"),
            after: try body.moment("after"), limit: try body.integer("limit", in: 1...10_000) ?? 1000)
        let isDryRun = try body.flag("dry_run") ?? false
        let isOfAll =
            choice.services == nil && choice.reasons == nil && choice.images.isEmpty && choice.before == nil
            && choice.after == nil
        guard try body.flag("all") ?? false == isOfAll else {
            throw Problem(.badBody, "it needs a filter, or \"all\": true, and not both")
        }
        return try await rounds.run {
            let known = try await KnownQueues(services, parts.queue())
            let look = try await DeadLook(choice, parts, known)
            let act: DeadRound.Act =
                isDryRun ? DeadRound.counting : isDrop ? DeadRound.dropping : DeadRound.requeuing { time.now() }
            let answer = await look.run(act)
            if !isDryRun, answer.tally.done > 0 {
                let entry = AuditEntry(
                    who: API.who, act: isDrop ? "dead drop" : "dead requeue",
                    filter: choice.text, count: answer.tally.done)
                try await store().audit(entry)
            }
            if let failure = answer.failure { throw failure }
            let members = answer.tally.json(isDrop ? "dropped" : "requeued", isDryRun: isDryRun).objectValue ?? []
            return Response(.object(members + [JSON.Member("complete", .bool(answer.isComplete))]))
        }
    }
}
