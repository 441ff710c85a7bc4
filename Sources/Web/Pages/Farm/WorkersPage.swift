import Foundation
import Hummingbird
import Operations
import Pipeline

extension Site {
    func addWorkers(to router: Router<Context>) {
        let board = board
        router.answer(
            "/workers",
            [
                .get: { request, context in
                    let query = try request.query()
                    let start = try query.number("from", 0...Int.max) ?? 0
                    let page = WorkersPage(view: await board.latest(), machine: query["machine"], start: start)
                    return try response(
                        Page(
                            title: "Workers", section: .workers, access: context.access, isLive: true,
                            content: page.content), request, Site.pageFields.union(["from", "machine"]))
                }
            ])
    }
}

/// Who works, by machine. Of many workers there is a line for each machine, which leads to those that work there.
struct WorkersPage {
    /// Workers that are listed one by one.
    private static let listed = 50
    /// Rows of those who are alive, who are silent (twice), and of errors, in bytes.
    private static let (aliveBytes, silentBytes, errorBytes) = (40_000, 10_000, 15_000)

    let view: FarmView
    /// The machine of which alone workers are listed.
    var machine: String?
    /// The first worker or machine of a long list.
    var start = 0

    var content: HTML {
        """
        <h1>Workers</h1>
        \(alive)
        \(monitor)
        <p class="quiet">As of \(HTML.time(view.seen)).</p>
        """
    }

    private var alive: HTML {
        switch view.workers {
        case .failure(let fault): return "<p class=\"fault\">The workers are not known: \(fault.description)</p>"
        case .success(let workers):
            if let machine {
                let all: HTML = "<p><a href=\"workers\">All machines</a></p>"
                let here = workers.filter { $0.host == machine }
                guard !here.isEmpty else {
                    return "\(all)<p>No worker is alive on \(machine.printable(upTo: 100)).</p>"
                }
                return "\(all)\(list(machine, here, from: start))"
            }
            guard !workers.isEmpty else { return "<p>No worker is alive.</p>" }
            let machines = Dictionary(grouping: workers, by: \.host).sorted { $0.key < $1.key }
            guard workers.count <= WorkersPage.listed else { return summary(machines) }
            return HTML(machines.map { list($0.key, $0.value, from: 0) })
        }
    }

    private func list(_ host: String, _ workers: [RegisteredWorker], from start: Int) -> HTML {
        let (rows, next) = HTML.part(of: workers.count, from: start, upTo: WorkersPage.aliveBytes) { row(workers[$0]) }
        return """
            <h2>\(host.printable(upTo: 100))</h2>
            <table class="cards"><thead><tr><th scope="col">Service or role</th><th scope="col">Worker</th>
            <th scope="col">State</th><th scope="col" class="number">Rate</th><th scope="col" class="number">Jobs</th>
            <th scope="col">Last job</th><th scope="col" class="number">Errors, last hour</th>
            <th scope="col" class="number">Calls at once</th><th scope="col">Version</th>
            <th scope="col">Control</th></tr></thead><tbody>\(rows)</tbody></table>
            \(next.map { more(workers.count - $0, "workers?machine=\(host.queryEncoded)&from=\($0)") })
            """
    }

    private func more(_ count: Int, _ link: String) -> HTML {
        "<p><a href=\"\(attribute: link)\">\(HTML.count(count)) more</a></p>"
    }

    /// A line for each machine.
    private func summary(_ machines: [(key: String, value: [RegisteredWorker])]) -> HTML {
        let errors = Dictionary(grouping: (try? view.monitor?.get())?.errors ?? [], by: \.nodeHostname)
        let (rows, next) = HTML.part(of: machines.count, from: start, upTo: WorkersPage.aliveBytes) { place in
            let (host, workers) = machines[place]
            let services = Dictionary(grouping: workers, by: \.service).sorted { $0.key < $1.key }
                .map { "\($0.key) \($0.value.count)" }.joined(separator: ", ")
            let troubled = workers.count { ![.working, .unknown].contains($0.condition.state) }
            let rate = workers.compactMap(\.figures.rate).reduce(0, +)
            let link = "workers?machine=\(host.queryEncoded)"
            return """
                <tr><th scope="row"><a href="\(attribute: link)">\(host.printable(upTo: 100))</a></th>
                \(HTML.cell("Workers", HTML.count(workers.count), isNumber: true))
                \(HTML.cell("In trouble", "<span class=\"\(troubled > 0 ? "bad" : "quiet")\">\(troubled)</span>", isNumber: true))
                \(HTML.cell("Rate", "\(FarmPage.rate(rate))", isNumber: true))
                \(HTML.cell("Errors, last hour", HTML.count(errors[host]?.count ?? 0), isNumber: true))
                \(HTML.cell("Services and roles", "\(services.printable(upTo: 300))"))</tr>
                """
        }
        return """
            <table class="cards"><thead><tr><th scope="col">Machine</th><th scope="col" class="number">Workers</th>
            <th scope="col" class="number">In trouble</th><th scope="col" class="number">Rate</th>
            <th scope="col" class="number">Errors, last hour</th><th scope="col">Services and roles</th></tr></thead>
            <tbody>\(rows)</tbody></table>
            \(next.map { more(machines.count - $0, "workers?from=\($0)") })
            """
    }

    private func row(_ worker: RegisteredWorker) -> HTML {
        let reason = worker.condition.reason.map { ": " + $0.printable(upTo: 200) } ?? ""
        let (text, tone) =
            switch worker.condition.state {
            case .working, .unknown: isPaused(worker) ? ("alive, paused", "quiet") : ("alive", "good")
            case .serviceDown: ("its service is down", "bad")
            case .storeRefusing: ("the store takes no rows", "bad")
            case .failed: ("has failed, and is started again", "bad")
            case .stopping: ("stopping", "quiet")
            }
        let figures = worker.figures
        return """
            <tr><th scope="row">\(worker.service.printable(upTo: 60))</th>
            \(HTML.cell("Worker", "\(worker.workerID.printable(upTo: 100))"))
            \(HTML.cell("State", "<span class=\"\(tone)\">\(text + reason)</span>"))
            \(HTML.cell("Rate", "\(figures.rate.map(FarmPage.rate) ?? "–")", isNumber: true))
            \(HTML.cell("Jobs", figures.completed.map { HTML.count($0) } ?? "–", isNumber: true))
            \(HTML.cell("Last job", figures.lastJob.map(HTML.time) ?? "–"))
            \(HTML.cell("Errors, last hour", errorCount(of: worker), isNumber: true))
            \(HTML.cell("Calls at once", figures.concurrency.map { HTML.count($0) } ?? "–", isNumber: true))
            \(HTML.cell("Version", "\(figures.version ?? "–")"))\(HTML.cell("Control", obedience(of: worker)))</tr>
            """
    }

    /// Heartbeats with an error. A dash where there are no heartbeats.
    private func errorCount(of worker: RegisteredWorker) -> HTML {
        guard let report = try? view.monitor?.get() else { return "–" }
        return HTML.count(
            report.errors.count {
                ($0.workerID, $0.serviceName, $0.nodeHostname) == (worker.workerID, worker.service, worker.host)
            })
    }

    /// Whether it obeys a pause.
    private func isPaused(_ worker: RegisteredWorker) -> Bool {
        guard let control = line(of: worker)?.control, let revision = worker.revision else { return false }
        return control.isPaused && revision >= control.revision
    }

    /// What is known of the service that the worker works for.
    private func line(of worker: RegisteredWorker) -> QueueStatus.Line? {
        (try? view.status.get().queues.get())?.lines.first { $0.service == worker.service }
    }

    /// The revision of control that the worker obeys, and whether it is the newest one of its service.
    private func obedience(of worker: RegisteredWorker) -> HTML {
        guard let revision = worker.revision else { return "–" }
        let newest = line(of: worker)?.control.revision ?? 0
        if revision < newest {
            return "<span class=\"bad\">revision \(revision), not yet \(newest)</span>"
        }
        return revision == 0 ? "nothing is set" : "obeys revision \(revision)"
    }

    private var monitor: HTML {
        let silent: [DeadWorker]
        switch view.silent {
        case .failure(let fault): return "<p class=\"fault\">Who has gone silent is not known: \(fault.description)</p>"
        case .success(let workers): silent = workers
        }
        switch view.monitor {
        case nil: return table("Silent", silent)
        case .failure(let fault):
            return """
                \(table("Silent", silent))<p class="fault">The heartbeats are not known: \(fault.description)</p>
                """
        case .success(let report):
            return """
                \(table("Silent", report.deadWorkers + silent))
                \(table("Silent, and replaced by another worker", report.replacedWorkers))
                \(errors(report))
                """
        }
    }

    /// - Parameter silent: the longest silent first.
    private func table(_ heading: String, _ silent: [DeadWorker]) -> HTML {
        guard !silent.isEmpty else { return .none }
        let (rows, next) = HTML.part(of: silent.count, upTo: WorkersPage.silentBytes) { place in
            let worker = silent[silent.count - 1 - place]
            return """
                <tr><th scope="row">\(worker.serviceName.printable(upTo: 60))</th>
                \(HTML.cell("Worker", "\(worker.workerID.printable(upTo: 100))"))
                \(HTML.cell("Machine", "\(worker.nodeHostname.printable(upTo: 100))"))\
                \(HTML.cell("Last seen", HTML.time(worker.lastSeen)))</tr>
                """
        }
        return """
            <h2>\(heading)</h2>
            <table class="cards"><thead><tr><th scope="col">Service or role</th><th scope="col">Worker</th>
            <th scope="col">Machine</th><th scope="col">Last seen</th></tr></thead><tbody>\(rows)</tbody></table>
            \(next.map { rest(silent.count - $0) })
            """
    }

    private func errors(_ report: MonitorReport) -> HTML {
        guard !report.errors.isEmpty else { return .none }
        let (rows, next) = HTML.part(of: report.errors.count, upTo: WorkersPage.errorBytes) { place in
            let error = report.errors[place]
            return """
                <tr>\(HTML.cell("Time", HTML.time(error.timestamp)))
                \(HTML.cell("Service", "\(error.serviceName.printable(upTo: 60))"))
                \(HTML.cell("Machine", "\(error.nodeHostname.printable(upTo: 100))"))
                \(HTML.cell("Error", "\(error.message.printable(upTo: 500))"))</tr>
                """
        }
        return """
            <h2>Errors of the last hour</h2>
            <table class="cards"><thead><tr><th scope="col">Time</th><th scope="col">Service or role</th>
            <th scope="col">Machine</th><th scope="col">Error</th></tr></thead><tbody>\(rows)</tbody></table>
            \(next.map { rest(report.errors.count - $0) })
            """
    }

    private func rest(_ count: Int) -> HTML {
        "<p class=\"quiet\">\(HTML.count(count)) more: <code>farm monitor</code> lists them.</p>"
    }
}
