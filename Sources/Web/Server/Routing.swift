import HTTPTypes
import Hummingbird
import Logging
import Operations
import Pipeline
import Telemetry

/// A request with what its sender may do.
struct Context: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Until somebody has found it out, nothing.
    var access = Access.none

    init(source: ApplicationRequestContextSource) { coreContext = CoreRequestContextStorage(source: source) }
}

typealias Handler = @Sendable (Request, Context) async throws -> Response

extension Router<Context> {
    /// A router that answers HEAD wherever it answers GET, refuses methods that HTTP does not know, and measures what it
    /// answers.
    static func measured(_ metrics: FarmMetrics) -> Router<Context> {
        let router = Router(context: Context.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestTimes(metrics: metrics))
        router.add(middleware: FaultAnswers())
        return router
    }

    /// Has a path answered. Other methods than these are answered with 405 and the list of those that are allowed: of itself
    /// Hummingbird says that there is no such path.
    func answer(_ path: RouterPath, _ handlers: [HTTPRequest.Method: Handler]) {
        for (method, handler) in handlers { on(path, method: method, use: handler) }
        var allowed = Set(handlers.keys)
        if allowed.contains(.get) { allowed.insert(.head) }
        let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        for method in HTTPRequest.Method.known where !allowed.contains(method) {
            on(path, method: method) { request, context -> Response in
                .refusal(
                    request, .methodNotAllowed, "\(method.rawValue) is not answered here, but \(list)", [.allow: list],
                    access: context.access)
            }
        }
    }
}

extension HTTPRequest.Method {
    /// The methods that HTTP defines.
    fileprivate static let known: [HTTPRequest.Method] =
        [.get, .head, .post, .put, .delete, .connect, .options, .trace, .patch]
        // A safe method with a body, which HTTPTypes does not name yet (draft-ietf-httpbis-safe-method-w-body).
        + [HTTPRequest.Method("QUERY")].compactMap { $0 }

    /// Whether it is one that HTTP defines.
    var isKnown: Bool { HTTPRequest.Method.known.contains(self) }
}

extension Response {
    /// A line or a page of plain text.
    init(plain text: String, _ status: HTTPResponse.Status = .ok, _ headers: HTTPFields = [:]) {
        self.init(text, "text/plain; charset=utf-8", status, headers)
    }

    /// Text that is not kept by caches, nor taken for something else by browsers.
    init(_ text: String, _ type: String, _ status: HTTPResponse.Status = .ok, _ headers: HTTPFields = [:]) {
        var headers = headers
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// Measures each request by its route.
private struct RequestTimes: RouterMiddleware {
    let metrics: FarmMetrics

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let clock = ContinuousClock()
        let begin = clock.now
        let response = try await next(request, context)
        // A path that nobody has registered is the client's text, and no label.
        let route = response.status == .notFound ? nil : context.endpointPath
        metrics.answered(
            route: route ?? "other", code: response.status.code, seconds: (clock.now - begin) / .seconds(1))
        return response
    }
}

/// Turns what a handler throws into an answer.
struct FaultAnswers: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.method.isKnown else { return .refusal(request, .unknownMethod, "no such method") }
        do {
            return try await next(request, context)
        } catch  where Problem.endsConnection(error) {
            throw error
        } catch {
            let problem = Problem(error)
            if problem.kind == .internalError { context.logger.error("\(request.uri.path): \(error)") }
            return .refusal(
                request, problem.kind, problem.detail,
                problem.kind.status == .serviceUnavailable ? [.retryAfter: "5"] : [:], access: context.access)
        }
    }
}

extension WebServer {
    /// A server of `/metrics`, for Prometheus, and `/healthz`, which is answered while the process is alive.
    package init(metrics: FarmMetrics, host: String, port: Int, limits: Limits = Limits(), log: Logger) {
        let router = Router.measured(metrics)
        router.answer(
            "/metrics", [.get: { _, _ in Response(metrics.registry.text, ExpositionText.contentType) }])
        router.answer("/healthz", [.get: { _, _ in Response(plain: "ok\n") }])
        self.init(host: host, port: port, limits: limits, router: router, log: log)
    }
}
