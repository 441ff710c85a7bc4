import Foundation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Pipeline

extension Site {
    func addServices(to router: Router<Context>) {
        let (board, helm, expected) = (board, helm, gallery.rules.expected)
        router.answer(
            "/services/:service",
            [
                .get: { request, context in
                    let service = try await helm.knownService(context)
                    let control = try await helm.control().all()[service]
                    let view = await board.latest()
                    let content = ServicePage(
                        service: service, control: control, mayAct: context.access.mayAct,
                        isAskedForImages: expected.contains(service), status: try? view.status.get())
                    return try response(
                        Page(
                            title: service, section: .farm, depth: 1, access: context.access, isLive: true,
                            notice: .control(try request.query(), known: [service]),
                            content: "\(content.standing)<p class=\"quiet\">As of \(HTML.time(view.seen)).</p>",
                            forms: content.forms),
                        request)
                }
            ])
        func acting(
            _ done: String, _ known: Set<String>,
            _ act: @escaping @Sendable (FleetControl, String, Fields) async throws -> Void
        ) -> [HTTPRequest.Method: Handler] {
            [
                .post: { request, context in
                    let fields = try await request.form(known)
                    let isFromFarm = try fields.flag("back", is: "farm")
                    let service = try await helm.knownService(context)
                    func refused(
                        _ why: String, _ status: HTTPResponse.Status = .unprocessableContent
                    ) async throws -> Response {
                        let content = ServicePage(
                            service: service, control: try await helm.control().all()[service], mayAct: true,
                            root: "../",
                            isAskedForImages: expected.contains(service))
                        return Response(
                            Page(
                                title: service, section: .farm, depth: 2, access: context.access,
                                notice: Page.Notice(text: why, isFault: true),
                                content: content.standing, forms: content.forms),
                            status)
                    }
                    do {
                        try await act(try await helm.control(), service, fields)
                    } catch let fault as OperationFault where fault.kind == .conflict {
                        return try await refused(
                            "Nothing was changed: \(fault.message). This is what is set now.", .conflict)
                    } catch let fault as OperationFault {
                        return try await refused(fault.message)
                    } catch let fault as Fields.Fault {
                        return try await refused("The form holds \(fault.text).")
                    }
                    _ = await board.renewed()
                    // From a row of the farm page people want to see that row again.
                    let back = isFromFarm ? "../../?" : "../\(service.queryEncoded)?"
                    return Response.seeOther("\(back)done=\(done)&what=\(service.queryEncoded)")
                }
            ]
        }
        router.answer(
            "/services/:service/pause",
            acting("paused", PauseForm.known) { control, service, fields in
                let form = try PauseForm(fields)
                let end = form.end(try await control.all()[service])
                _ = try await control.pause(
                    [service], until: end, reason: form.reason, replaces: form.revision != nil, since: form.revision)
            })
        // A person who reads by whom it is paused, and resumes it, means it.
        router.answer(
            "/services/:service/resume",
            acting("resumed", ["back"]) { control, service, _ in _ = try await control.resume([service], whoever: true)
            })
        router.answer(
            "/services/:service/limit",
            acting("limited", LimitForm.known) { control, service, fields in
                let form = try LimitForm(fields)
                _ = try await control.limit([service], rate: form.rate, concurrency: form.concurrency)
            })
    }
}

extension Helm {
    /// The service or role that a path names.
    /// - Throws: `HTTPError` if it is none.
    func knownService(_ context: Context) async throws -> String {
        let text = context.parameters.get("service") ?? ""
        // Hummingbird leaves what is encoded as it is.
        let name = (try? Fields("name=" + text.replacing("+", with: "%2B")))?["name"] ?? ""
        guard try await control().knownNames().contains(name) else {
            throw HTTPError(.notFound, message: "there is no such service")
        }
        return name
    }
}

/// One service: what is set for it, and how to change that.
struct ServicePage {
    let service: String
    let control: ServiceControl
    let mayAct: Bool
    /// From the page to the folder of the services' pages.
    var root = ""
    /// Whether it is asked about whole images, which alone are found by what has failed.
    var isAskedForImages = false
    /// What was seen last of the farm; nil where it is not known, or not shown.
    var status: FarmStatus?

    /// What is set, and how it goes.
    var standing: HTML {
        """
        <h1>\(service)</h1>
        <p class="\(control.isPaused ? "bad" : "")">\(control.text)</p>
        \(work)
        <p>\(failures)<a href="\(root)../dead">Dead letters</a> · <a href="\(root)../">Farm</a></p>
        """
    }

    private var failures: HTML? {
        guard isAskedForImages else { return nil }
        return """
            <a href="\(root)../images?failed=\(attribute: service.queryEncoded)">Images on which it failed</a> · \("")
            """
    }

    /// What waits for it, who works on it, and why it does not move.
    private var work: HTML? {
        guard let status, let line = (try? status.queues.get())?.lines.first(where: { $0.service == service }) else {
            return nil
        }
        let state = line.state(refusal: status.refusal)
        let workers = line.workers ?? []
        let machines = Dictionary(grouping: workers, by: \.host).sorted { $0.key < $1.key }
            .map { "\($0.key): \(counted($0.value.count, "worker"))" }
        // What is set is said above.
        let condition =
            control.isPaused ? state.obeying.map { "\($0) of \(workers.count) obey" } : state.text
        let remarks = [condition].compactMap { $0 } + machines
        return """
            <div class="tiles"><div><strong>\(HTML.count(line.depth.waiting))</strong>waiting</div>
            <div><strong>\(line.depth.inFlight.map { HTML.count($0) } ?? "–")</strong>in flight</div>
            <div><strong>\(HTML.count(line.depth.dead))</strong>dead</div></div>
            <p class="\(state.why == nil || control.isPaused ? "quiet" : "bad")">\(remarks.joined(separator: " · "))</p>
            """
    }

    /// nil for who may only read.
    var forms: HTML? {
        guard mayAct else { return nil }
        let path = root + service.queryEncoded
        let isRole = service == Callback.service || PostProcessing(rawValue: service) != nil
        let calls: HTML? =
            isRole
            ? nil
            : """
            <label>Calls in flight for each worker <input name="concurrency" type="number" min="1" max="1000" \
            value="\(attribute: control.concurrency.map(String.init) ?? "")" placeholder="as configured"></label>
            """
        let left = PauseForm.minutes(leftOf: control, at: Date()).map(String.init) ?? ""
        // Browsers that put back what a form had would put back what it was made for.
        let pause: HTML = """
            <h2>Pause</h2>
            <form method="post" action="\(attribute: path)/pause" autocomplete="off">
            <input type="hidden" name="revision" value="\(control.revision)"><input type="hidden" name="kept" value="\(left)">
            <label>Reason <input name="reason" maxlength="\(PauseForm.longestReason)" value="\(attribute: control.reason ?? "")"></label>
            <label>For how many minutes <input name="minutes" type="number" min="1" max="525600" \
            value="\(left)" placeholder="until resumed"></label>
            <button>\(control.isPaused ? "Change the pause" : "Pause")</button></form>
            """
        let resume: HTML = """
            <h2>Resume</h2>
            <form method="post" action="\(attribute: path)/resume"><button>Resume</button></form>
            """
        return """
            \(control.isPaused ? resume : .none)\(pause)
            <h2>Limit</h2>
            <form method="post" action="\(attribute: path)/limit">
            <label>Jobs of the whole farm, such as 20/s or 5/min <input name="rate" maxlength="20" \
            value="\(attribute: control.rateLimit.map { RateText(perSecond: $0).text } ?? "")" placeholder="no limit"></label>
            \(calls)<button>Limit</button></form>
            """
    }
}
