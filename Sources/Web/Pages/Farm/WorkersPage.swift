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
                    let view = await board.latest()
                    return try response(
                        Page(
                            title: "Workers", section: .workers, access: context.access, isLive: true,
                            content: WorkersPage(view: view).content), request)
                }
            ])
    }
}

/// Who works, by machine.
struct WorkersPage {
    let view: FarmView

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
            guard !workers.isEmpty else { return "<p>No worker is alive.</p>" }
            let machines = Dictionary(grouping: workers, by: \.host).sorted { $0.key < $1.key }
            return HTML(
                machines.map { host, workers -> HTML in
                    """
                    <h2>\(host)</h2>
                    <table class="cards"><thead><tr><th scope="col">Service or role</th><th scope="col">Worker</th>
                    <th scope="col">State</th><th scope="col" class="number">Rate</th><th scope="col" class="number">Jobs</th>
                    <th scope="col">Last job</th><th scope="col" class="number">Errors, last hour</th>
                    <th scope="col" class="number">Calls at once</th><th scope="col">Version</th>
                    <th scope="col">Control</th></tr></thead><tbody>\(workers.map(row))</tbody></table>
                    """
                })
        }
    }

    private func row(_ worker: RegisteredWorker) -> HTML {
        let reason = worker.condition.reason.map { ": " + $0.printable(upTo: 200) } ?? ""
        let (text, tone) =
            switch worker.condition.state {
            case .working, .unknown: ("alive", "good")
            case .serviceDown: ("its service is down", "bad")
            case .storeRefusing: ("the store takes no rows", "bad")
            case .failed: ("has failed, and is started again", "bad")
            case .stopping: ("stopping", "quiet")
            }
        let figures = worker.figures
        return """
            <tr><th scope="row">\(worker.service)</th>\(HTML.cell("Worker", "\(worker.workerID)"))
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

    /// The revision of control that the worker obeys, and whether it is the newest one of its service.
    private func obedience(of worker: RegisteredWorker) -> HTML {
        guard let revision = worker.revision else { return "–" }
        let lines = (try? view.status.get().queues.get())?.lines ?? []
        let newest = lines.first { $0.service == worker.service }?.control.revision ?? 0
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
        let rows = silent.suffix(100).reversed().map { worker -> HTML in
            """
            <tr><th scope="row">\(worker.serviceName)</th>\(HTML.cell("Worker", "\(worker.workerID)"))
            \(HTML.cell("Machine", "\(worker.nodeHostname)"))\(HTML.cell("Last seen", HTML.time(worker.lastSeen)))</tr>
            """
        }
        return """
            <h2>\(heading)</h2>
            <table class="cards"><thead><tr><th scope="col">Service or role</th><th scope="col">Worker</th>
            <th scope="col">Machine</th><th scope="col">Last seen</th></tr></thead><tbody>\(rows)</tbody></table>
            """
    }

    private func errors(_ report: MonitorReport) -> HTML {
        guard !report.errors.isEmpty else { return .none }
        let rows = report.errors.prefix(100).map { error -> HTML in
            """
            <tr>\(HTML.cell("Time", HTML.time(error.timestamp)))\(HTML.cell("Service", "\(error.serviceName)"))
            \(HTML.cell("Machine", "\(error.nodeHostname)"))\(HTML.cell("Error", "\(error.message.printable(upTo: 500))"))</tr>
            """
        }
        return """
            <h2>Errors of the last hour</h2>
            <table class="cards"><thead><tr><th scope="col">Time</th><th scope="col">Service or role</th>
            <th scope="col">Machine</th><th scope="col">Error</th></tr></thead><tbody>\(rows)</tbody></table>
            """
    }
}
