import Foundation
import Model
import Services

/// One process's way to the services, under the real `ServiceClient`: each answers by the album, and misbehaves on cue.
struct Network: HTTPTransport {
    let album: Album
    let process: SimulatedProcess
    /// Called when a picture kills whoever asks about it.
    let kill: @Sendable (SimulatedProcess) -> Void

    private var conditions: Conditions { process.conditions }

    func perform(_ request: HTTPRequest) async throws(HTTPFault) -> HTTPResponse {
        let url = request.url.dropFirst("http://".count)
        let service = String(url.prefix { $0 != ":" })
        do {
            return try await answer(request, service, isHealth: url.hasSuffix("/health"))
        } catch let fault as HTTPFault {
            throw fault
        } catch {
            throw HTTPFault(.cancelled, place: service, cause: "cancelled")
        }
    }

    private func answer(_ request: HTTPRequest, _ service: String, isHealth: Bool) async throws -> HTTPResponse {
        if conditions.lasts(.serviceDown, of: service) {
            try await process.pass(.milliseconds(1))
            throw HTTPFault(.unreachable, place: service, cause: "connection refused")
        }
        if !isHealth { process.orders.call(service, at: conditions.scheduler.now) }
        // A service whose health still answers may hang in the analysis.
        if conditions.lasts(.serviceHangs, of: service), !isHealth || conditions.plan.seed % 3 > 0 {
            try await hang(request, service)
        }
        var span = conditions.dice.time(around: conditions.plan.calls[service] ?? conditions.plan.serviceLatency)
        if conditions.strikes(.slowAnswer, service) { span = VirtualTime(microseconds: span.microseconds * 20) }
        guard span.duration < request.timeout else { try await hang(request, service) }
        try await process.pass(span)
        if conditions.lasts(.serviceFails, of: service) { return response(500, "internal error", span) }
        if isHealth { return response(200, "{}", span) }
        if conditions.lasts(.serviceErrs, of: service) {
            return response(200, #"{"status": "error", "error": {"message": "out of memory"}}"#, span)
        }
        return try await strike(request, service, span) ?? sound(request, service, span)
    }

    private func hang(_ request: HTTPRequest, _ service: String) async throws -> Never {
        try await process.sleep(request.timeout)
        throw HTTPFault(.timeout, place: service, cause: "no answer within \(request.timeout)")
    }

    /// What goes wrong with one call.
    private func strike(_ request: HTTPRequest, _ service: String, _ span: VirtualTime) async throws -> HTTPResponse? {
        if conditions.strikes(.timeout, service) { try await hang(request, service) }
        if conditions.strikes(.cutOff, service) {
            throw HTTPFault(.broken, place: service, cause: "the connection was closed")
        }
        if conditions.strikes(.serverError, service) { return response(500, "internal error", span) }
        if conditions.strikes(.garbage, service) { return response(200, "<html>", span) }
        if conditions.strikes(.tooManyRequests, service) { return response(429, "", span, retryAfter: .seconds(2)) }
        if conditions.strikes(.longPause, service) { return response(503, "", span, retryAfter: .seconds(90)) }
        return nil
    }

    private func sound(_ request: HTTPRequest, _ service: String, _ span: VirtualTime) throws -> HTTPResponse {
        if case .bytes(let crop, _) = request.content {
            return HTTPResponse(
                status: 200, body: album.answer(service, crop: crop).bytes, seconds: span.seconds)
        }
        guard let id = Network.image(request), let answer = album.answer(service, id) else {
            return response(404, "no such picture", span)
        }
        switch album.picture(id)?.flaws[service] {
        case .killer?:
            conditions.note(.killerPicture, process.name)
            kill(process)
            throw Died()
        case .clientError?:
            conditions.note(.finalAnswer, service)
            return response(400, "bad request", span)
        case .serviceError?, .badAnswer?: conditions.note(.finalAnswer, service)
        case .refused?, nil: break
        }
        return HTTPResponse(status: 200, body: answer.bytes, seconds: span.seconds)
    }

    private func response(
        _ status: Int, _ text: String, _ span: VirtualTime, retryAfter: Duration? = nil
    ) -> HTTPResponse {
        HTTPResponse(status: status, body: Array(text.utf8), retryAfter: retryAfter, seconds: span.seconds)
    }

    /// The picture of a request for `…/7.jpg`, by URL or as a file.
    private static func image(_ request: HTTPRequest) -> ImageID? {
        let path = if case .file(let path, _) = request.content { path } else { request.url }
        guard path.hasSuffix(".jpg") else { return nil }
        return ImageID(String(path.dropLast(4).reversed().prefix { $0.isNumber }.reversed()))
    }
}
