import Foundation
import HTTPTypes
import Hummingbird

/// Stands before every page: refuses requests that are meant for another host, acts that another site's page sends, and who
/// may not read; and tells browsers what they must not do with an answer.
struct Gate: RouterMiddleware {
    let rules: AccessRules
    let hosts: HostRule
    /// Paths that are answered without a login.
    let open: Set<String>

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await answer(request, context, next)
        for field in Gate.headers where response.headers[field.name] == nil { response.headers.append(field) }
        return response
    }

    private func answer(
        _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        // Another target is for proxies, and a second host is for one of them (RFC 9112, section 3.2).
        guard request.head.path?.utf8.first == UInt8(ascii: "/"), request.headers[.secondHost] == nil else {
            return Response(plain: "this is no request for a page of this server\n", .badRequest)
        }
        guard hosts.allows(request.head.authority) else {
            return .refusal(
                request, .wrongHost, "this is not the host that was asked for; WEB_ALLOWED_HOSTS names others")
        }
        var context = context
        let bearer = AccessRules.bearer(request.headers[.authorization])
        context.access = rules.access(
            bearer: bearer, cookies: SessionCookie.all(headers: request.headers[values: .cookie]),
            now: Int(Date().timeIntervalSince1970))
        // A browser adds a login to what another site makes it send, but no token.
        guard request.method.isSafe || bearer != nil || isFromOwnPage(request) else {
            return .refusal(
                request, .notAllowed, "the page that sent this is not this server's (Sec-Fetch-Site, Origin)")
        }
        if open.contains(request.uri.path) || request.uri.path.hasPrefix("/assets/") {
            return try await next(request, context)
        }
        guard context.access.mayRead else {
            // Whoever shows a token is a program.
            if Routes.isOfAPI(request) || bearer != nil {
                return .refusal(request, .tokenNeeded, "a token is needed: Authorization: Bearer TOKEN")
            }
            guard request.method.isSafe else {
                return .refusal(request, .tokenNeeded, "you are not logged in")
            }
            let depth = request.uri.path.split(separator: "/", omittingEmptySubsequences: false).count - 2
            let wanted = request.method == .get ? ReturnPath(String(request.head.path?.dropFirst() ?? "")) : nil
            let next = wanted.map { "?next=" + $0.text.queryEncoded } ?? ""
            return Response.seeOther(String(repeating: "../", count: max(0, depth)) + "login" + next)
        }
        // Who may log in may log out.
        guard request.method.isSafe || context.access.mayAct || request.uri.path == "/logout" else {
            return .refusal(request, .notAllowed, "this token may only read", access: context.access)
        }
        return try await next(request, context)
    }

    /// Whether no other site has made a browser send this (OWASP, "Cross-Site Request Forgery Prevention": fetch metadata).
    /// Programs that are no browsers say nothing of it.
    private func isFromOwnPage(_ request: Request) -> Bool {
        if let site = request.headers[.secFetchSite] { return site == "same-origin" }
        guard let origin = request.headers[.origin] else { return true }
        return hosts.isOwn(origin: origin, authority: request.head.authority)
    }

    /// The headers of every answer. Nothing is loaded from elsewhere, nothing runs that is not a file of ours, and no other site shows our
    /// pages in its own.
    private static let headers: HTTPFields = [
        .contentSecurityPolicy:
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        .xContentTypeOptions: "nosniff",
        .referrerPolicy: "same-origin",
        .crossOriginOpenerPolicy: "same-origin",
        .crossOriginResourcePolicy: "same-origin",
        .cacheControl: "no-store",
    ]
}

extension HTTPField.Name {
    static let secFetchSite = name("Sec-Fetch-Site")
    /// The first one is the request's authority.
    static let secondHost = name("Host")
    static let referrerPolicy = name("Referrer-Policy")
    static let crossOriginOpenerPolicy = name("Cross-Origin-Opener-Policy")
    static let crossOriginResourcePolicy = name("Cross-Origin-Resource-Policy")
    static let xAccelBuffering = name("X-Accel-Buffering")

    /// - Parameter text: a token of RFC 9110, which is certain where it is written in the code.
    static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is a header's name") }
        return name
    }
}

extension HTTPRequest.Method {
    /// It asks for nothing to be done (RFC 9110, section 9.2.1).
    var isSafe: Bool { [.get, .head, .options, .trace].contains(self) }
}

extension Response {
    /// Has a browser get another page, by a way from the one that it asked for.
    static func seeOther(_ location: String, _ headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.location] = location
        return Response(plain: "see \(location)\n", .seeOther, headers)
    }

    /// A whole page.
    init(_ page: Page, _ status: HTTPResponse.Status = .ok, _ headers: HTTPFields = [:]) {
        self.init(page.html.text, "text/html; charset=utf-8", status, headers)
    }
}
