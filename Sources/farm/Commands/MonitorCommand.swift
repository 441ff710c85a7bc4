import ArgumentParser
import Foundation
import Model
import Operations
import Pipeline

struct MonitorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Shows which workers are dead, how fast the others are, and what went wrong.",
        discussion: """
            A worker is dead if it has been silent for longer than the threshold, unless it reported that it stops, \
            has been silent for over a day, or another worker has taken its place.

            A new worker takes the place of exactly one earlier worker of its service on its machine. If one stopped \
            within the threshold before, this is a restart, and it takes that one's place. Otherwise it takes the \
            place of the worker that fell silent last. So start as many workers as have died, and --fail-on-dead \
            exits with 0 again.

            Examples:
              farm monitor
              farm monitor --dead-threshold 10 --performance-window 30 --errors-window 120
              farm monitor --watch
              farm monitor --fail-on-dead || mail -s 'a worker is dead' me
            """)

    @Option(name: .shortAndLong, parsing: .unconditional, help: "Minutes of silence after which a worker is dead.")
    var deadThreshold: Double = 5
    @Option(name: .shortAndLong, parsing: .unconditional, help: "Minutes over which performance is counted.")
    var performanceWindow: Double = 10
    @Option(name: .shortAndLong, parsing: .unconditional, help: "Minutes for which errors are shown.")
    var errorsWindow: Double = 60
    @Flag(help: "Exit with 1 if a worker is dead.") var failOnDead = false
    @Flag(help: "Redraw it every two seconds, until Ctrl-C.") var watch = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        let windows = [
            ("--dead-threshold", deadThreshold), ("--performance-window", performanceWindow),
            ("--errors-window", errorsWindow),
        ]
        for (name, minutes) in windows where !(minutes > 0 && minutes <= 1_000_000) {
            throw ValidationError("\(name) must be over 0 minutes, is \(minutes).")
        }
    }

    func run() async throws {
        let windows = MonitorWindows(
            deadThreshold: .seconds(deadThreshold * 60), performance: .seconds(performanceWindow * 60),
            errors: .seconds(errorsWindow * 60))
        let anyDead = try await OpenSession.with(options, logs: .ifPossible, metrics: watch ? .ifFree : nil) {
            guard let heartbeats = try await $0.monitoring() else {
                throw CommandFailure.unusable(
                    "nothing to monitor: set MONITORING_DB_HOST and the other MONITORING_DB_ variables")
            }
            return heartbeats
        } _: { session in
            warnOfShortThreshold(session.settings.heartbeatInterval)
            var anyDead = false
            try await Redrawing(isWatched: watch, isJSON: json).run {
                let report = try await session.backends.report(windows)
                anyDead = !report.deadWorkers.isEmpty
                for id in report.sharedIDs {
                    Terminal.error("farm: warning: two live workers share the id \(id); see WORKER_ID in .env.example")
                }
                return json ? report.json.text : text(report)
            }
            return anyDead
        }
        if failOnDead && anyDead { throw CommandFailure(exitCode: 1, message: "") }
    }

    /// Warns if a heartbeat that is late, or lost, would exceed the threshold.
    private func warnOfShortThreshold(_ interval: Duration) {
        guard deadThreshold * 60 < 3 * interval.seconds else { return }
        Terminal.error(
            String(
                format:
                    "farm: warning: --dead-threshold %g min is less than three heartbeats (HEARTBEAT_INTERVAL is %g s "
                    + "here): who is merely late counts as dead", deadThreshold, interval.seconds))
    }

    private func text(_ report: MonitorReport) -> String {
        [
            section("Dead workers (silent for over \(Self.minutes(deadThreshold)))", report.deadTable, none: "none"),
            section(
                "Performance (last \(Self.minutes(performanceWindow)))", report.performanceTable,
                none: "no worker reported"),
            section("Nodes", report.nodeTable, none: "no live worker"),
            section("Errors (last \(Self.minutes(errorsWindow)))", report.errorTable, none: "none"),
        ].joined(separator: "\n\n")
    }

    private func section(_ title: String, _ table: Table, none: String) -> String {
        title + "\n" + (table.rows.isEmpty ? none : table.text)
    }

    private static func minutes(_ value: Double) -> String { String(format: "%g min", value) }
}

extension MonitorReport {
    fileprivate var deadTable: Table {
        var table = Table([
            ("worker", .left), ("service", .left), ("node", .left), ("last seen (UTC)", .left), ("silent min", .right),
        ])
        for worker in deadWorkers {
            table.add([
                Terminal.red(worker.workerID), worker.serviceName, worker.nodeHostname,
                Timestamp.iso8601(worker.lastSeen),
                String(format: "%.1f", worker.minutesSilent),
            ])
        }
        return table
    }

    fileprivate var performanceTable: Table {
        var table = Table([
            ("service", .left), ("workers", .right), ("jobs/min", .right), ("jobs", .right),
            ("last update (UTC)", .left),
        ])
        for service in performance {
            table.add([
                service.serviceName, "\(service.workers)", String(format: "%.1f", service.jobsPerMinute),
                "\(service.jobsCompleted)", Timestamp.iso8601(service.lastUpdate),
            ])
        }
        return table
    }

    fileprivate var nodeTable: Table {
        var table = Table([("node", .left), ("workers", .right), ("services", .left)])
        for node in nodes { table.add([node.nodeHostname, "\(node.workers)", node.services.joined(separator: ", ")]) }
        return table
    }

    fileprivate var errorTable: Table {
        var table = Table([
            ("time (UTC)", .left), ("worker", .left), ("service", .left), ("node", .left), ("error", .left),
        ])
        for error in errors {
            table.add([
                Timestamp.iso8601(error.timestamp), error.workerID, error.serviceName, error.nodeHostname,
                error.message,
            ])
        }
        return table
    }
}
