import Foundation
import HTTPTypes
import Hummingbird

extension Site {
    func addLogin(to router: Router<Context>) {
        let rules = rules
        let tries = LoginTries()
        router.answer(
            "/login",
            [
                .get: { request, context in
                    let next = try Site.next(try request.query(["next"]))
                    return Response(Site.loginPage(context.access, next))
                },
                .post: { request, context in
                    let fields = try await request.form(["token", "next"])
                    let next = try Site.next(fields)
                    guard tries.mayTry(at: Date()) else {
                        return Response(
                            Site.loginPage(
                                context.access, next, fault: "Too many wrong tokens. Wait a minute and try again."),
                            .tooManyRequests, [.retryAfter: "60"])
                    }
                    guard let token = fields["token"],
                        let cookie = rules.cookie(for: token, now: Int(Date().timeIntervalSince1970))
                    else {
                        tries.failed(at: Date())
                        return Response(
                            Site.loginPage(
                                context.access, next, fault: "This is not the token of WEB_TOKEN or WEB_READ_TOKEN."),
                            .unauthorized)
                    }
                    return Response.seeOther(
                        "./" + (next?.text ?? ""), [.setCookie: Site.set(cookie.value, SessionCookie.lifetime)])
                },
            ])
        router.answer(
            "/logout",
            [
                .post: { request, _ in
                    _ = try await request.form([])
                    return Response.seeOther("./login", [.setCookie: Site.set("", 0)])
                }
            ])
    }

    /// Without a path it holds for the folder that the login lies in, whatever a proxy calls it.
    private static func set(_ value: String, _ seconds: Int) -> String {
        "\(SessionCookie.name)=\(value); Max-Age=\(seconds); HttpOnly; SameSite=Strict"
    }

    /// The page that a login leads to; nil: the first one.
    private static func next(_ fields: Fields) throws(Fields.Fault) -> ReturnPath? {
        guard let text = fields["next"] else { return nil }
        guard let next = ReturnPath(text) else { throw Fields.Fault(text: "a value of next that is no page here") }
        return next
    }

    private static func loginPage(_ access: Access, _ next: ReturnPath?, fault: String? = nil) -> Page {
        let hidden: HTML? = next.map { "<input type=\"hidden\" name=\"next\" value=\"\(attribute: $0.text)\">" }
        let content: HTML = """
            <h1>Log in</h1>
            <form method="post" action="login">\(hidden)
            <label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label>
            <button>Log in</button>
            </form>
            <p class="quiet">The token is WEB_TOKEN of the server's .env, or WEB_READ_TOKEN for reading only.</p>
            """
        return Page(
            title: "Log in", section: nil, access: access, notice: fault.map { Page.Notice(text: $0, isFault: true) },
            content: content)
    }
}
