import ArgumentParser
import Model
import Pipeline

struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Drops waiting jobs, by service or group; asks first.",
        discussion: """
            Jobs that a worker has taken already go on. Triggers of the post-processing roles are dropped only where their \
            role is named: what they would have computed, farm merge --all and farm consense --all make up for.

            Examples:
              farm purge --service clip --dry-run         how many that would be
              farm purge --service clip,blip
              farm purge --group holiday --yes            of every service, jobs of this group's images
              farm purge --all                            every job of every service
            """)

    @Option(help: ArgumentHelp("Jobs of these services, with commas.", valueName: "services")) var service: String?
    @Option(help: "Jobs of this group's images.") var group: String?
    @Flag(help: "Jobs of every service and group.") var all = false
    @Flag(help: "Count what would be dropped; drop nothing.") var dryRun = false
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
        try await Session.with(options) { session in
            let known = try await KnownQueues(session)
            let targets = try service.map(known.queues) ?? known.all.filter { PostProcessing(rawValue: $0.service) == nil }
            if let group { try await check(group, session) }
            if dryRun || !confirmation.yes {
                let waiting = try await purge(session, targets, Drain(), isDryRun: true)
                if dryRun { return report(waiting) }
                let count = waiting.reduce(0) { $0 + $1.jobs }
                let services = waiting.filter { $0.jobs > 0 }.map(\.service).joined(separator: ", ")
                try await confirmation.ask(
                    "Drop \(counted(count, "waiting message"))\(count > 0 ? " of \(services)" : "")?")
            }
            let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
            report(try await purge(session, targets, drain, isDryRun: false))
            if drain.isBegun { Terminal.error("farm: stopped; run it again for the rest") }
            try await tellInFlight(session, targets)
        }
    }

    private func check(_ group: String, _ session: Session) async throws {
        guard try await session.backends.store.count(ImageFilter(group: group)) == 0 else { return }
        throw CommandFailure.failed("no image in group \(group)")
    }

    private struct Dropped {
        var service: String
        var queue: String
        var jobs: Int
    }

    /// - Returns: what was dropped, or what would be.
    private func purge(
        _ session: Session, _ targets: [KnownQueues.Named], _ drain: Drain, isDryRun: Bool
    ) async throws -> [Dropped] {
        let depths = try await session.backends.queue.depths(of: targets.map(\.queue))
        let purge = Purge(
            queue: session.backends.queue, store: session.backends.store, group: group, isDryRun: isDryRun,
            progress: Progress(isDryRun ? "looked at" : "messages"), total: depths.reduce(0) { $0 + $1.waiting })
        defer { purge.progress.end() }
        var dropped: [Dropped] = []
        var seen = 0
        for (target, depth) in zip(targets, depths) where !drain.isBegun && depth.waiting > 0 {
            let jobs = try await purge.run(target.queue, waiting: depth.waiting, after: seen, drain)
            dropped.append(Dropped(service: target.service, queue: target.queue, jobs: jobs))
            seen += depth.waiting
        }
        return dropped
    }

    private func report(_ dropped: [Dropped]) {
        let count = dropped.reduce(0) { $0 + $1.jobs }
        if json {
            let queues = dropped.map { dropped in
                JSON.object([
                    "queue": .string(dropped.queue), "service": .string(dropped.service),
                    "jobs": .int(Int64(dropped.jobs)),
                ])
            }
            return Terminal.output(
                JSON.object(["jobs": .int(Int64(count)), "queues": .array(queues), "dry_run": .bool(dryRun)]).text)
        }
        let parts = dropped.filter { $0.jobs > 0 }.map { "\($0.jobs) of \($0.service)" }.joined(separator: ", ")
        Terminal.output(
            counted(count, "waiting message") + (dryRun ? " would be dropped" : " dropped")
                + (parts.isEmpty ? "" : ": " + parts))
    }

    private func tellInFlight(_ session: Session, _ targets: [KnownQueues.Named]) async throws {
        let depths = try await session.backends.queue.depths(of: targets.map(\.queue))
        let counts = depths.compactMap(\.inFlight)
        guard counts.count == depths.count else {
            return Terminal.error("farm: what workers have taken already goes on")
        }
        let inFlight = counts.reduce(0, +)
        if inFlight > 0 { Terminal.error("farm: \(counted(inFlight, "message")) that workers have taken already go on") }
    }
}
