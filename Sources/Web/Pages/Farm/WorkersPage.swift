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
                    <th scope="col">State</th><th scope="col" class="number">Control</th></tr></thead><tbody>\(workers.map(row))</tbody></table>
                    """
                })
        }
    }

    private func row(_ worker: RegisteredWorker) -> HTML {
        let reason = worker.condition.reason.map { ": " + $0.printable(upTo: 200) } ?? ""
        let (text, tone) =
            switch worker.condition.state {
            case .working: ("alive", "good")
            case .serviceDown: ("its service is down", "bad")
            case .storeRefusing: ("the store takes no rows", "bad")
            case .failed: ("has failed, and is started again", "bad")
            case .unknown: ("alive", "quiet")
            }
        return """
            <tr><th scope="row">\(worker.service)</th>\(HTML.cell("Worker", "\(worker.workerID)"))
            \(HTML.cell("State", "<span class=\"\(tone)\">\(text + reason)</span>"))
            \(HTML.cell("Control", "\(worker.revision.map { "revision \($0)" } ?? "–")", isNumber: true))</tr>
            """
    }

    private var monitor: HTML {
        switch view.monitor {
        case nil: return .none
        case .failure(let fault): return "<p class=\"fault\">The heartbeats are not known: \(fault.description)</p>"
        case .success(let report): return "\(dead(report))\(errors(report))"
        }
    }

    private func dead(_ report: MonitorReport) -> HTML {
        guard !report.deadWorkers.isEmpty else { return .none }
        let rows = report.deadWorkers.map { worker -> HTML in
            """
            <tr><th scope="row">\(worker.serviceName)</th>\(HTML.cell("Worker", "\(worker.workerID)"))
            \(HTML.cell("Machine", "\(worker.nodeHostname)"))\(HTML.cell("Last seen", HTML.time(worker.lastSeen)))</tr>
            """
        }
        return """
            <h2>Silent</h2>
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
