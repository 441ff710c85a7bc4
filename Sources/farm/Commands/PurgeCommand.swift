import ArgumentParser
import Model
import Operations
import Pipeline
import Waiting

struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Drops waiting jobs, by service or group; asks first.",
        discussion: """
            Jobs that a worker has already taken go on. Triggers of the post-processing roles are dropped only if \
            their role is named. To compute later what those triggers would have computed, run farm merge --all and \
            farm consense --all.

            Examples:
              farm purge --service clip --dry-run         how many that would be
              farm purge --service clip,blip
              farm purge --group holiday --yes            of every service, jobs of this group's images
              farm purge --all                            every job of every service
            """)

    @Option(help: ArgumentHelp("Jobs of these services, separated by commas.", valueName: "services")) var service:
        String?
    @Option(help: "Jobs of this group's images.") var group: String?
    @Flag(help: "Jobs of every service and group.") var all = false
    @Flag(help: "Count what would be dropped, but drop nothing.") var dryRun = false
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "Print the counts as JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if all && (service != nil || group != nil) { throw ValidationError("--all or a filter, not both.") }
        if !all && service == nil && group == nil {
            throw ValidationError("Name what to drop: --service, --group, or --all for every waiting job.")
        }
    }

    func run() async throws {
        if !dryRun { try confirmation.check() }
        let group = group
        try await OpenSession.with(options) { connections in
            let queue = try await connections.queue()
            guard let group else { return (queue, nil) }
            let store = try await connections.store(readsOnly: true).store
            guard try await store.count(ImageFilter(group: group)) > 0 else {
                throw OperationFault.missing("no image in group \(group)")
            }
            return (queue, (group, store))
        } _: { (session: OpenSession<(Queue, (String, Store)?)>) in
            let (queue, group) = session.backends
            let known = try await KnownQueues(session.settings.directory, queue)
            let targets = try service.map(known.queues) ?? known.ofServices
            func purge(isDryRun: Bool) -> Purge {
                Purge(queue: queue, targets: targets, group: group, isDryRun: isDryRun)
            }
            var tally = PurgeTally()
            if dryRun || !confirmation.yes {
                try await run(purge(isDryRun: true), into: &tally, Drain())
                if dryRun { return report(tally) }
                try await confirmation.ask("Drop \(tally.text(""))?")
                tally = PurgeTally()
            }
            let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
            do {
                try await run(purge(isDryRun: false), into: &tally, drain)
            } catch {
                Terminal.error("farm: \(tally.text(" dropped")) before it failed; run it again for the rest")
                throw error
            }
            report(tally)
            if drain.isBegun { Terminal.error("farm: stopped; run it again for the rest") }
            tell(inFlight: try await purge(isDryRun: false).inFlight())
        }
    }

    private func run(_ purge: Purge, into tally: inout PurgeTally, _ drain: Drain) async throws {
        let progress = Progress(purge.isDryRun ? "looked at" : "messages")
        defer { progress.end() }
        try await purge.run(into: &tally, drain) { progress.show($0, of: $1) }
    }

    private func report(_ tally: PurgeTally) {
        Terminal.output(
            json ? tally.json(isDryRun: dryRun).text : tally.text(dryRun ? " would be dropped" : " dropped"))
    }

    private func tell(inFlight: Int?) {
        guard let inFlight else { return Terminal.error("farm: jobs that workers have taken already go on") }
        if inFlight > 0 { Terminal.error("farm: \(counted(inFlight, "message")) in flight, which workers will finish") }
    }
}
