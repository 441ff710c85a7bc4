import Foundation
import Hummingbird
import Model
import Operations
import Pipeline

extension Site {
    func addFarm(to router: Router<Context>) {
        let (board, helm) = (board, helm)
        router.answer(
            "/",
            [
                .get: { request, context in
                    let (view, query) = (await board.latest(), try request.query())
                    // Only after an act; the page is shown whether or not its store can be reached.
                    let known = query["done"] == nil ? nil : try? await helm.control().knownNames()
                    return try response(
                        Page(
                            title: "Farm", section: .farm, access: context.access, isLive: true,
                            notice: .control(query, known: known ?? []),
                            content: FarmPage(view: view, mayAct: context.access.mayAct).content), request)
                }
            ])
    }
}

/// What waits, what moves, and why something does not.
struct FarmPage {
    let view: FarmView
    let mayAct: Bool

    var content: HTML {
        switch view.status {
        case .failure(let fault):
            """
            <h1>Farm</h1>
            <p class="fault">Neither queue nor store can be reached: \(fault.description)</p>
            \(age)
            """
        case .success(let status):
            """
            <h1>Farm</h1>
            \(Stillness(status).html)
            \(progress(status))
            \(faults(status))
            \(table(status))
            \(age)
            """
        }
    }

    private var age: HTML { "<p class=\"quiet\">As of \(HTML.time(view.seen)).</p>" }

    private func faults(_ status: FarmStatus) -> HTML {
        var lines: [String] = []
        if case .failure(let fault) = status.queues { lines.append("The queues are not known: \(fault)") }
        if case .failure(let fault) = status.results { lines.append("The results are not known: \(fault)") }
        if let blockade = (try? status.queues.get())?.blockade {
            lines.append("The broker takes no messages: \(blockade)")
        }
        if let refusal = status.refusal { lines.append("The store takes no rows, so no job is taken: \(refusal)") }
        return HTML(lines.map { "<p class=\"fault\">\($0)</p>" })
    }

    // MARK: The whole run

    private func progress(_ status: FarmStatus) -> HTML {
        guard let store = try? status.results.get() else { return .none }
        let totals = store.totals
        // Callbacks wait for results, and are none.
        let lines = (try? status.queues.get())?.lines.filter { $0.service != Callback.service }
        let waiting = lines?.reduce(0) { $0 + $1.depth.waiting + $1.depth.knownInFlight }
        let bar: HTML? = waiting.map { waiting in
            let all = totals.results + waiting
            guard all > 0 else { return "<p>Nothing has been submitted yet.</p>" }
            let part =
                waiting == 0 ? "Everything that was submitted is done." : "\(percent(totals.results, of: all)) done"
            return """
                <progress max="\(all)" value="\(totals.results)" aria-label="Results of what was submitted"></progress>
                <p>\(part)</p>
                """
        }
        let tiles: [(String, HTML)] = [
            ("images", count(totals.images, store)), ("results", count(totals.results, store)),
            ("merged boxes", count(totals.mergedBoxes, store)), ("enrichments", count(totals.postprocessing, store)),
            ("images with a consensus", count(totals.consensus, store)),
        ]
        return """
            \(bar)
            <div class="tiles">\(tiles.map { name, count -> HTML in "<div><strong>\(count)</strong>\(name)</div>" })</div>
            """
    }

    private func percent(_ part: Int, of all: Int) -> String {
        String(format: "%.1f %%", Double(part) / Double(all) * 100)
    }

    private func count(_ count: Int, _ store: StoreStatus) -> HTML { HTML.count(count, isKept: store.isKept(count)) }

    // MARK: By service

    private func table(_ status: FarmStatus) -> HTML {
        let lines = (try? status.queues.get())?.lines ?? []
        let store = try? status.results.get()
        let reports = Dictionary((store?.services ?? []).map { ($0.service, $0) }) { first, _ in first }
        let rows = lines.map { line -> HTML in
            row(line, reports[line.service], store, line.state(refusal: status.refusal))
        }
        // Services that nobody works on here or has ever worked on have no line.
        let others = (store?.services ?? []).filter { report in !lines.contains { $0.service == report.service } }
        guard !(rows.isEmpty && others.isEmpty) else { return .none }
        return """
            <table class="cards">
            <thead><tr><th scope="col">Service</th><th scope="col" class="number">Waiting</th>
            <th scope="col" class="number">In flight</th><th scope="col" class="number">Done</th>
            <th scope="col" class="number">Failed</th><th scope="col" class="number">Dead</th>
            <th scope="col" class="number">Rate</th><th scope="col">Last hour</th>
            <th scope="col" class="number">p50 / p95</th><th scope="col" class="number">Workers</th>
            <th scope="col" class="number">Calls at once</th><th scope="col">Breaker</th>
            <th scope="col" class="number">Time left</th><th scope="col">State</th>\(mayAct ? HTML("<th scope=\"col\">Act</th>") : .none)</tr></thead>
            <tbody>\(rows)\(others.map { idle($0, store) })</tbody>
            </table>
            """
    }

    private func row(
        _ line: QueueStatus.Line, _ report: ServiceReport?, _ store: StoreStatus?, _ state: QueueState
    ) -> HTML {
        return """
            <tr><th scope="row"><a href="services/\(attribute: line.service.queryEncoded)">\(line.service)</a></th>
            \(HTML.cell("Waiting", HTML.count(line.depth.waiting), isNumber: true))
            \(HTML.cell("In flight", line.depth.inFlight.map { HTML.count($0) } ?? "–", isNumber: true))
            \(results(report, store))
            \(HTML.cell("Dead", HTML.count(line.depth.dead), isNumber: true))
            \(HTML.cell("Rate", "\(line.donePerSecond.map(FarmPage.rate) ?? "?")", isNumber: true))
            \(HTML.cell("Last hour", spark(line)))
            \(seconds(report))
            \(HTML.cell("Workers", state.workers.map { HTML.count($0) } ?? "?", isNumber: true))
            \(HTML.cell("Calls at once", concurrency(line), isNumber: true))
            \(HTML.cell("Breaker", breaker(line)))
            \(HTML.cell("Time left", "\(line.timeLeft(state).map(ShortDuration.text) ?? "–")", isNumber: true))
            \(HTML.cell("State", stateText(line, state)))
            \(mayAct ? HTML.cell("Act", act(line)) : .none)</tr>
            """
    }

    /// How many calls the service gets at once, from all its workers. A dash for roles that call no service of their own.
    private func concurrency(_ line: QueueStatus.Line) -> HTML {
        let each = (line.workers ?? []).compactMap(\.figures.concurrency)
        return each.isEmpty ? "–" : HTML.count(each.reduce(0, +))
    }

    /// Whether calls go out: the circuit breakers of the workers.
    private func breaker(_ line: QueueStatus.Line) -> HTML {
        guard let workers = line.workers, workers.contains(where: { $0.figures.concurrency != nil }) else { return "–" }
        let open = workers.count { $0.condition.state == .serviceDown }
        return open == 0
            ? "closed"
            : "<span class=\"bad\">open\(open < workers.count ? " at \(open) of \(workers.count)" : "")</span>"
    }

    /// `0.25/s`, `12.5/s`.
    static func rate(_ perSecond: Double) -> String {
        perSecond > 0 ? String(format: perSecond < 1 ? "%.2g/s" : "%.1f/s", perSecond) : "–"
    }

    /// The commonest act; the others are on the service's page.
    private func act(_ line: QueueStatus.Line) -> HTML {
        let path = "services/" + line.service.queryEncoded
        let (act, name) = line.control.isPaused ? ("resume", "Resume") : ("pause", "Pause")
        return """
            <form class="inline" method="post" action="\(attribute: path)/\(act)">\
            <input type="hidden" name="back" value="farm">\(line.control.isPaused ? .none : madeFor(line.control))\
            <button aria-label="\(attribute: name + " " + line.service)">\(name)</button></form>
            """
    }

    /// A pause that somebody has set since this page was made is not replaced.
    private func madeFor(_ control: ServiceControl) -> HTML {
        "<input type=\"hidden\" name=\"revision\" value=\"\(control.revision)\" autocomplete=\"off\">"
    }

    /// What has results, and no queue that anybody knows of.
    private func idle(_ report: ServiceReport, _ store: StoreStatus?) -> HTML {
        """
        <tr><th scope="row">\(report.service)</th>\(HTML.cell("Waiting", "–", isNumber: true))
        \(HTML.cell("In flight", "–", isNumber: true))\(results(report, store))
        \(HTML.cell("Dead", "–", isNumber: true))\(HTML.cell("Rate", "–", isNumber: true))\(HTML.cell("Last hour", .none))
        \(seconds(report))\(HTML.cell("Workers", "–", isNumber: true))
        \(HTML.cell("Calls at once", "–", isNumber: true))\(HTML.cell("Breaker", "–"))\(HTML.cell("Time left", "–", isNumber: true))
        \(HTML.cell("State", .none))\(mayAct ? HTML.cell("Act", .none) : .none)</tr>
        """
    }

    private func results(_ report: ServiceReport?, _ store: StoreStatus?) -> HTML {
        func shown(_ count: Int?) -> HTML {
            guard let count, let store else { return "–" }
            return self.count(count, store)
        }
        return """
            \(HTML.cell("Done", shown(report?.success), isNumber: true))
            \(HTML.cell("Failed", shown(report?.error), isNumber: true))
            """
    }

    private func seconds(_ report: ServiceReport?) -> HTML {
        func shown(_ value: Double?) -> String { value.map { String(format: "%.2f s", $0) } ?? "–" }
        return HTML.cell("p50 / p95", "\(shown(report?.p50)) / \(shown(report?.p95))", isNumber: true)
    }

    private func spark(_ line: QueueStatus.Line) -> HTML {
        var minutes = [Int](repeating: 0, count: 60)
        for minute in line.minutes where (0..<3600).contains(minute.age) {
            minutes[59 - Int(minute.age / 60)] += minute.done
        }
        return HTML.sparkline(minutes, label: "done in the last hour: \(minutes.reduce(0, +))")
    }

    private func stateText(_ line: QueueStatus.Line, _ state: QueueState) -> HTML {
        let oldest = line.oldest.map { "the oldest has waited \(ShortDuration.text($0))" }
        let tone = state.why != nil ? "bad" : "quiet"
        return
            "<span class=\"why \(tone)\">\(state.text)</span>\(oldest.map { "<span class=\"why quiet\">\($0)</span>" as HTML })"
    }
}
