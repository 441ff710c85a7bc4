import ArgumentParser
import Composition
import Foundation
import Model
import Operations
import Pipeline
import Roles
import Settings
import Waiting

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Runs every role that this machine's service_config.json names, supervised, in one process.",
        discussion: """
            A role that fails is restarted with back-off while the others go on. Ctrl-C or SIGTERM drains within \
            SHUTDOWN_TIMEOUT, and a second one ends the process at once. SIGHUP reads service_config.json again.

            Examples:
              farm up
              farm up --web               serve the pages of farm web, too
              farm up --until-idle        end when all submitted jobs are done
            """)

    @Flag(
        help: ArgumentHelp(
            "Exit when the queues that are served here are done. The exit code is 1 if something has failed, or waits for something that is away."
        ))
    var untilIdle = false
    @OptionGroup var pages: WebOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await SettledSession(options).serve { session, drain in
            try await session.servingPages(pages) { _ in try await serve(session, drain) }
        }
    }

    private func serve(_ session: FarmSession, _ drain: Drain) async throws {
        let factory = RoleFactory(session.context, session.backends)
        let roles = factory.roles()
        guard !roles.isEmpty else {
            throw CommandFailure.unusable(
                "\(factory.configuration.path ?? "service_config.json") names no role for this machine: "
                    + "no primary service with \"work\" true, no post_processing entry")
        }
        let serving = Serving(factory: factory, servesWholeMachine: true)
        if untilIdle {
            try await serveUntilIdle(session, serving, roles, drain)
        } else {
            let changes = Reloading(options: options, session: session, factory: factory).changes()
            await serving.runWatching(roles, changes: changes, drain: drain)
        }
    }

    private func serveUntilIdle(
        _ session: FarmSession, _ serving: Serving, _ roles: [SupervisedRole], _ drain: Drain
    ) async throws {
        let factory = serving.factory
        let progress = JobProgress()
        let mark = try await session.backends.store.failureMark()
        let watch = IdleWatch(
            queue: session.backends.queue, store: session.backends.store, time: session.time, log: session.log("farm"),
            queues: factory.configuration.workers.map { ($0.name, $0.queue) },
            roles: factory.configuration.postProcessing,
            outages: { factory.outages() }, refusal: { factory.refusal },
            postponed: { factory.postponed() }, cropServices: factory.configuration.cropServices,
            progress: { progress.show($0) })
        let undone = try await serving.run(roles, drain: drain) { try await watch.run() }
        progress.end()
        await tellOfUnserved(session, factory)
        guard !Signals.shared.wasInterrupted else { return }
        try await CommandFailure.check(undone: undone, in: session.backends.store, since: mark)
    }

    /// Reports triggers that the work here has published and whose role this machine does not run, and jobs of services
    /// that its file does not name.
    private func tellOfUnserved(_ session: FarmSession, _ factory: RoleFactory) async {
        let configuration = factory.configuration
        let undone = await UndoneElsewhere(
            session.backends.queue, session.settings.directory,
            roles: PostProcessing.allCases.filter { !configuration.postProcessing.contains($0) })
        if !undone.triggers.isEmpty {
            let counts = undone.triggers.map { "\(counted($0.count, "trigger")) of \($0.role.rawValue)" }
            Terminal.error(
                "farm: \(counts.joined(separator: ", ")) waiting, for what this machine does not run: "
                    + undone.triggers.map { "farm \($0.role.command)" }.joined(separator: ", "))
        }
        guard !undone.jobs.isEmpty else { return }
        let counts = undone.jobs.map { "\(counted($0.count, "job")) of \($0.service)" }
        Terminal.error(
            "farm: \(counts.joined(separator: ", ")) waiting, which \(configuration.path ?? "this machine") does not name: "
                + "another machine does them, or name them here, or drop them: farm purge --service "
                + undone.jobs.map(\.service).joined(separator: ","))
    }
}

/// On SIGHUP, opens the log file again and reads service_config.json again. If the file is invalid, the old one is
/// kept.
private struct Reloading: Sendable {
    let options: SettingsOptions
    let session: FarmSession
    let factory: RoleFactory

    func changes() -> AsyncStream<[SupervisedRole]> {
        let (stream, continuation) = AsyncStream.makeStream(of: [SupervisedRole].self)
        Signals.shared.onHangup {
            session.output.reopen()
            let log = session.log("farm")
            do {
                let settings = try options.load()
                let renewed = factory.adopting(settings.services)
                let roles = renewed.roles()
                renewed.warnOfAssumedServices(roles)
                continuation.yield(roles)
                log.notice("service_config.json read again")
            } catch {
                log.error("SIGHUP: the old settings are kept: \((error as? CommandFailure)?.message ?? "\(error)")")
            }
        }
        return stream
    }
}
