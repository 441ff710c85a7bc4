import Foundation
import Hummingbird
import Model
import Operations
import Pipeline

extension Site {
    func addDeadLetters(to router: Router<Context>) {
        let (helm, acts) = (helm, acts)
        router.answer(
            "/dead",
            [
                .get: { request, context in
                    // While letters are acted on, looking at them would keep them from the act.
                    let latest = acts.isRunning ? nil : try await helm.dead.latest()
                    let content = DeadPage(
                        overview: latest?.value, made: latest?.made ?? .now, acts: acts.all,
                        mayAct: context.access.mayAct)
                    return try response(
                        Page(
                            title: "Dead letters", section: .dead, access: context.access, isLive: acts.isRunning,
                            notice: .dead(try request.query()), content: content.html), request)
                }
            ])
        router.answer(
            "/dead/act",
            [
                // It is counted before anybody is asked to be sure.
                .get: { request, context in
                    guard context.access.mayAct else {
                        throw HTTPError(.forbidden, message: "this token may only read")
                    }
                    let act = try DeadAct(try request.query())
                    let (tally, isWhole) = try await helm.count(act)
                    return Response(
                        Page(
                            title: "Dead letters", section: .dead, depth: 1, access: context.access,
                            content: DeadPage.question(act, tally, isWhole: isWhole)))
                },
                .post: { request, _ in
                    let form = try await request.form(DeadAct.known)
                    // The count of the question: it says how much there is to do, and not what is done.
                    let total = try form.number("total", 0...Int.max)
                    try await helm.begin(try DeadAct(form), total: total, in: acts)
                    return Response.seeOther("../dead?done=begun")
                },
            ])
        router.answer(
            "/acts/:id/stop",
            [
                .post: { request, context in
                    _ = try await request.form([])
                    guard let state = acts.stop(try context.number("id")) else {
                        throw HTTPError(.notFound, message: "there is no such act, or it has ended long ago")
                    }
                    return Response.seeOther("../../dead?done=\(state == .running ? "stopped" : "ended")")
                }
            ])
    }
}

/// What to do with which dead letters.
struct DeadAct: Sendable {
    enum Verb: String, Sendable { case requeue, drop }

    /// The fields that it is read from.
    static let known: Set<String> = ["act", "service", "reason", "all", "total"]

    let verb: Verb
    /// nil: any.
    let service: String?
    /// nil: any. An empty one is a reason as well.
    let reason: String?

    /// - Throws: `Fields.Fault`, also where neither service nor reason is named and `all=1` is not there: what is
    ///   forgotten or mistyped must not mean all letters.
    init(_ fields: Fields) throws(Fields.Fault) {
        let fields = try fields.only(DeadAct.known)
        guard let verb = fields["act"].flatMap(Verb.init) else {
            throw Fields.Fault(text: "no act that is known: requeue or drop")
        }
        self.verb = verb
        (service, reason) = (fields.value("service"), fields.value("reason"))
        for (name, value, limit) in [("service", service, 50), ("reason", reason, 1000)] {
            guard value?.unicodeScalars.count ?? 0 <= limit else {
                throw Fields.Fault(text: "a value of \(name) with more than \(limit) characters")
            }
        }
        guard service != "" else { throw Fields.Fault(text: "a service without a name") }
        guard try fields.flag("all") == (service == nil && reason == nil) else {
            throw Fields.Fault(text: "neither a service or reason nor all=1, or both")
        }
    }

    var choice: DeadLetterChoice { DeadLetterChoice(services: service, reasons: reason.map { [$0] }) }

    /// `all`, or `service clip, reason timeout`.
    var filter: String {
        let named = reason.map { $0.isEmpty ? "without a reason" : "reason \($0)" }
        let parts = [service.map { "service \($0)" }, named].compactMap { $0 }
        return parts.isEmpty ? "all" : parts.joined(separator: ", ")
    }

    var query: String {
        var pairs = ["act=\(verb.rawValue)"]
        if let service { pairs.append("service=\(service.queryEncoded)") }
        if let reason { pairs.append("reason=\(reason.queryEncoded)") }
        return pairs.joined(separator: "&")
    }
}

/// The dead letters by reason, and what is done about them.
struct DeadPage {
    /// nil while letters are acted on.
    let overview: DeadOverview?
    /// How old it is.
    let made: Date
    let acts: [BackgroundActs.Act]
    let mayAct: Bool

    /// Rows of the page, in bytes.
    private static let (groupBytes, actBytes) = (45_000, 15_000)

    var html: HTML {
        "<h1>Dead letters</h1>\(running)\(table)<p class=\"quiet\">As of \(HTML.time(made)).</p>"
    }

    private var table: HTML {
        guard let overview else { return "<p>The letters are listed again when the act has ended.</p>" }
        guard !overview.heaps.isEmpty else { return "<p>There are none: no job has failed for good.</p>" }
        let note: HTML? =
            overview.isPartial
            ? """
            <p class="quiet">\(HTML.count(overview.counted)) of \(HTML.count(overview.total)) letters were counted by \
            reason; acts meet all of them.</p>
            """ : nil
        let partial = Set(overview.heaps.filter(\.isPartial).map(\.queue))
        let rows = overview.groups.map { row($0, isPartial: partial.contains($0.queue)) }
        let groups = HTML.first(rows, upTo: DeadPage.groupBytes) {
            "\(HTML.count($0)) more kinds are not shown here. Acts on all meet them, too."
        }
        return """
            \(note)
            <table class="cards"><thead><tr><th scope="col">Service or role</th><th scope="col">Reason</th>
            <th scope="col" class="number">Letters</th><th scope="col">Examples</th><th scope="col">Act</th></tr></thead>
            <tbody>\(overview.heaps.filter(\.isPartial).map(row))\(groups.pieces)</tbody></table>\(groups.rest)
            \(mayAct ? HTML("<p><a href=\"dead/act?act=requeue&amp;all=1\">Requeue all</a> · <a href=\"dead/act?act=drop&amp;all=1\">Drop all</a></p>") : .none)
            """
    }

    /// A service with letters whose reasons are not known.
    private func row(_ heap: DeadOverview.Heap) -> HTML {
        row(
            heap.service, reason: "any", HTML.count(heap.total),
            "<span class=\"quiet\">\(HTML.count(heap.counted)) were counted by reason</span>",
            query: "service=\(heap.service.queryEncoded)")
    }

    private func row(_ group: DeadOverview.Group, isPartial: Bool) -> HTML {
        row(
            group.service, reason: "\(group.reason.printable(upTo: 100))",
            isPartial ? "at least \(HTML.count(group.count))" : HTML.count(group.count),
            HTML(group.examples.map(example)),
            query: "service=\(group.service.queryEncoded)&reason=\(group.reason.queryEncoded)")
    }

    private func row(_ service: String, reason: HTML, _ count: HTML, _ examples: HTML, query: String) -> HTML {
        let links: HTML =
            mayAct
            ? """
            <a href="dead/act?act=requeue&amp;\(attribute: query)">Requeue</a> ·
            <a href="dead/act?act=drop&amp;\(attribute: query)">Drop</a>
            """ : .none
        return """
            <tr><th scope="row">\(service)</th>\(HTML.cell("Reason", reason))
            \(HTML.cell("Letters", count, isNumber: true))
            \(HTML.cell("Examples", examples))\(HTML.cell("Act", links))</tr>
            """
    }

    private func example(_ letter: DeadMessage) -> HTML {
        let image: HTML? = letter.imageID.map { "<a href=\"images/\($0)\">image \($0)</a> " }
        let since: HTML? = letter.deadSince.map { "<span class=\"quiet\">\(HTML.time($0))</span> " }
        return "<div>\(image)\(since)\(letter.message.printable(upTo: 200))</div>"
    }

    private var running: HTML {
        guard !acts.isEmpty else { return .none }
        let rows = HTML.part(of: acts.count, upTo: DeadPage.actBytes) { place in
            let act = acts[place]
            let stop: HTML =
                act.state == .running && mayAct
                ? "<form class=\"inline\" method=\"post\" action=\"acts/\(act.id)/stop\"><button>Stop</button></form>"
                : .none
            return """
                <tr>\(HTML.cell("Begun", HTML.time(act.begun)))\(HTML.cell("Act", "\(act.text.printable(upTo: 300))"))\
                \(HTML.cell("Progress", progress(act)))\(HTML.cell("", stop))</tr>
                """
        }.pieces
        return """
            <h2>Acts of this server</h2>
            <table class="cards"><thead><tr><th scope="col">Begun</th><th scope="col">Act</th><th scope="col">Progress</th>
            <th scope="col"><span class="quiet">Stop</span></th></tr></thead><tbody>\(rows)</tbody></table>
            """
    }

    private func progress(_ act: BackgroundActs.Act) -> HTML {
        guard let total = act.total else { return outcome(act, HTML.count(act.count), amount: .none) }
        return outcome(
            act, "\(HTML.count(act.count)) of \(HTML.count(total))",
            amount: " max=\"\(max(1, total))\" value=\"\(act.count)\"")
    }

    /// - Parameter amount: the attributes that tell it. None where nobody knows how much there is to do.
    private func outcome(_ act: BackgroundActs.Act, _ counts: HTML, amount: HTML) -> HTML {
        switch act.state {
        case .running: return "<progress\(amount) aria-label=\"Progress\"></progress> \(counts)"
        case .done: return "done: \(HTML.count(act.count))"
        case .stopped: return "stopped after \(counts)"
        case .failed(let cause):
            return "<span class=\"bad\">failed after \(counts): \(cause.printable(upTo: 300))</span>"
        }
    }

    /// Asks whether it is meant, with what was counted.
    /// - Parameter isWhole: all letters were looked at.
    static func question(_ act: DeadAct, _ tally: DeadTally, isWhole: Bool) -> HTML {
        let verb = act.verb == .requeue ? "Requeue" : "Drop"
        let consequence =
            act.verb == .requeue
            ? "They go back to their queues and are tried anew."
            : "They are gone for good; their images lack these answers."
        guard tally.done > 0 || !isWhole else {
            return "<h1>\(verb) dead letters</h1><p>There are none like this.</p><p><a href=\"../dead\">Back</a></p>"
        }
        let rest: HTML = """
            <p>Only \(HTML.count(tally.seen)) letters were looked at, since to count all of them takes long. \
            Those of the rest are meant, too.</p>
            """
        return """
            <h1>\(verb) \(isWhole ? "" : "at least ")\(counted(tally.done, "dead letter"))?</h1>
            <p>\(tally.text("")) (\(act.filter)). \(consequence)</p>\(isWhole ? .none : rest)
            <form method="post" action="act">\(hidden("act", act.verb.rawValue))\(hidden("service", act.service))\
            \(hidden("reason", act.reason))\(hidden("all", act.service == nil && act.reason == nil ? "1" : nil))\
            \(hidden("total", isWhole ? String(tally.done) : nil))\
            <button>\(verb) them</button> <a href="../dead">Back</a></form>
            """
    }

    private static func hidden(_ name: String, _ value: String?) -> HTML {
        value.map { "<input type=\"hidden\" name=\"\(name)\" value=\"\(attribute: $0)\">" } ?? .none
    }
}
