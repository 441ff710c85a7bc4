import Foundation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Pipeline

extension API {
    /// What is set for services and roles, and setting it.
    var controlRoutes: [Route] {
        [
            Route(
                path: "/services",
                handlers: [
                    .get: { request, _ in
                        _ = try QueryParameters(request)
                        let sheet = try await parts.store().control()
                        let controls = services.names.map { sheet[$0] }
                        let others = sheet.controls.values.filter { !services.names.contains($0.service) }
                        let all = controls + others.sorted { $0.service < $1.service }
                        return Response(.object(["services": .array(all.map(\.json))]))
                    }
                ]),
            Route(path: "/services/{service}/pause", handlers: [.post: pause]),
            Route(path: "/services/{service}/resume", handlers: [.post: resume]),
            Route(path: "/services/{service}/limit", handlers: [.post: limit]),
        ]
    }

    private func fleet() async throws -> FleetControl {
        FleetControl(try await store(), services, who: API.who)
    }

    @Sendable private func pause(_ request: Request, _ context: Context) async throws -> Response {
        let service = try context.service()
        _ = try QueryParameters(request)
        let body = try await RequestObject(request, known: ["until", "seconds", "reason", "replace"], isOptional: true)
        let end: FleetControl.PauseEnd?
        switch (try body.moment("until"), try body.integer("seconds", in: 1...31_536_000)) {
        case (let date?, nil): end = .at(date)
        case (nil, let seconds?): end = .after(TimeInterval(seconds))
        case (nil, nil): end = nil
        default: throw Problem(.badBody, "it takes until or seconds, and not both")
        }
        let reason = try body.text("reason")
        let replaces = try body.flag("replace") ?? false
        return try await API.answer(service) {
            try await fleet().pause([service], until: end, reason: reason, replaces: replaces).first
        }
    }

    @Sendable private func resume(_ request: Request, _ context: Context) async throws -> Response {
        let service = try context.service()
        _ = try QueryParameters(request)
        let body = try await RequestObject(request, known: ["whoever"], isOptional: true)
        let whoever = try body.flag("whoever") ?? false
        return try await API.answer(service) {
            let done = try await fleet().resume([service], whoever: whoever)
            // A role may be named by its command.
            let name = done.resumed.first?.service ?? done.untouched.first ?? service
            return try await store().control()[name]
        }
    }

    @Sendable private func limit(_ request: Request, _ context: Context) async throws -> Response {
        let service = try context.service()
        _ = try QueryParameters(request)
        let body = try await RequestObject(request, known: ["rate", "concurrency"])
        guard !body.isEmpty else { throw Problem(.badBody, "it needs rate, concurrency, or both") }
        let rate = try API.rate(body)
        let concurrency = try API.concurrency(body)
        return try await API.answer(service) {
            try await fleet().limit([service], rate: rate, concurrency: concurrency).first
        }
    }

    private static func rate(_ body: RequestObject) throws -> FleetControl.Setting<RateText> {
        guard !body.isNull("rate") else { return .none }
        guard let text = try body.text("rate", upTo: 40) else { return .kept }
        return .to(try RateText(text, none: "null"))
    }

    private static func concurrency(_ body: RequestObject) throws -> FleetControl.Setting<Int> {
        guard !body.isNull("concurrency") else { return .none }
        guard let number = try body.integer("concurrency", in: 1...1000) else { return .kept }
        return .to(number)
    }

    /// - Parameter act: gives what is set for the service from now on.
    private static func answer(
        _ service: String, _ act: () async throws -> ServiceControl?
    ) async throws -> Response {
        guard !service.contains(",") else {
            throw Problem(.badParameter, "it names one service", parameter: "service")
        }
        return Response(try await act()?.json ?? .null)
    }
}
