import ArgumentParser
import Composition
import Foundation
import Model
import Operations
import Pipeline
import Roles
import Settings
import Waiting

struct ProduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Submits a job for each pair of image and service.",
        // There are so many that they would not be named.
        usage: """
            farm produce [--services <services>] [--group <group> ...] [--limit <limit>] [--delay <delay>] \
            [--window <window>] [--restart] [--list-services] [--resume] [--failed] [--dry-run] [--wait] [--json] \
            [--env-file <file>]
            """,
        discussion: """
            --services takes all (the default) or primary for the primary services of this machine's \
            service_config.json, spatial_only for those that are asked about crops, full_catalog for every service, \
            or names separated by commas.

            --resume leaves out jobs that have a successful result, and jobs that have failed for good: their newest \
            result is an error that would happen again (service_error, bad_answer, too_large, crashed_worker, \
            refused, http 4xx, or an image that is missing or broken). It says how many those are; --failed submits \
            them too. Errors that may have passed (timeout, connection, not_json, http 408, 425, 429 and 5xx, or an \
            image whose host or disk failed at every try) are always submitted again.

            --window N keeps at most N jobs of each service waiting, and submits more as they are done, so that the \
            broker never holds them all. Several groups (--group repeated) take turns in it. Each queue goes on by \
            itself: one that is paused or has no worker stays full, the command says why, and the others go on; it \
            ends when every queue has got its jobs. The queues are looked at once a second or more often. Jobs that \
            workers give back may come on top of the window.

            The store keeps how far it has come, for each service and group. After Ctrl-C, or after being killed, the \
            same command goes on: nothing is submitted twice, and nothing is left out. After it has ended, the same \
            command submits images that were imported since; --restart begins with the first image again. Only one \
            such command at a time goes on with a service and group: the one that was started last.

            Examples:
              farm produce --group coco2017                        every primary service
              farm produce -s yolov8,rtdetr -g coco2017 -l 1000
              farm produce --resume --group coco2017               only what has no successful result yet
              farm produce --resume --failed                       and what has failed for good, after photos were repaired
              farm produce --window 10000                          all images, at most 10,000 of each service wait
              farm produce --window 2000 -g holiday -g birds       two groups take turns
              farm produce --list-services
            """)

    @Option(
        name: .shortAndLong, help: "all, primary, spatial_only, full_catalog, or names separated by commas.",
        completion: .list(["all", "primary", "spatial_only", "full_catalog"] + CatalogueService.all.map(\.name)))
    var services = "all"
    @Option(name: .shortAndLong, help: "Only images in this group. With --window it can be repeated.") var group:
        [String] = []
    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: "At most this many images; with --resume, images that lack something.")
    var limit: Int?
    @Option(name: .shortAndLong, parsing: .unconditional, help: "Seconds between two jobs.") var delay: Double = 0
    @Option(parsing: .unconditional, help: "At most this many jobs of each service wait; more follow as they are done.")
    var window: Int?
    @Flag(help: "With --window: begin with the first image, whatever has been submitted before.") var restart = false
    @Flag(help: "List the services by category, with port and description, then exit.") var listServices = false
    @Flag(help: "Skip pairs of image and service that have a successful result or have failed for good.") var resume =
        false
    @Flag(help: "With --resume: submit again what has failed for good.") var failed = false
    @Flag(help: "Count what would be submitted, but submit nothing.") var dryRun = false
    @Flag(help: "Wait until the jobs have their rows and every consensus is up to date.") var wait = false
    @Flag(help: "Print the counts as JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if failed && !resume { throw ValidationError("--failed goes with --resume.") }
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, is \(limit).") }
        if let window, window < 1 { throw ValidationError("--window must be at least 1, is \(window).") }
        if let window, window > 100_000_000 {
            throw ValidationError("--window must be at most 100000000, is \(window).")
        }
        if window == nil {
            if restart { throw ValidationError("--restart goes with --window.") }
            if group.count > 1 { throw ValidationError("Several groups take turns in a window: add --window.") }
        }
        if window != nil, group.contains("") { throw ValidationError("--group needs the name of a group.") }
        if !(0...3600).contains(delay) { throw ValidationError("--delay must be 0 to 3600 seconds, is \(delay).") }
    }

    func run() async throws {
        if listServices { return try list() }
        // This comes before anything is opened, so that an unknown service publishes nothing.
        let settled = try SettledSession(options)
        let targets = try settled.settings.directory.targets(services)
        if let window { return try await run(in: window, targets, settled) }
        let order = ProductionOrder(
            targets: targets, group: group.first, limit: limit, delay: .seconds(delay), resumes: resume,
            includesFailed: failed, isDryRun: dryRun)
        try await settled.with(metrics: wait && !dryRun ? .ifFree : nil, opening: Backends.open) { session in
            try await session.sampling { try await run(session, order) }
        }
    }

    private func run(_ session: FarmSession, _ order: ProductionOrder) async throws {
        let production = Production(
            order: order, store: session.backends.store, queue: session.backends.queue, time: session.time,
            log: session.log("farm"), tracer: session.context.tracer)
        let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
        try await warn(production)
        let beginning = try await production.beginning(looksAtQueues: wait)
        let submitted = try await submit(production, drain)
        let counts = submitted.counts
        if drain.isBegun {
            for queue in counts.waiting { Terminal.error("farm: \(queue.queue) took no more: \(queue.cause)") }
            Terminal.error("farm: stopped after \(counted(counts.jobs, "job")); --resume submits the rest")
        }
        guard wait && !dryRun && !drain.isBegun else { return }
        let jobs = production.jobs(counts, since: beginning)
        try await waitForRows(session, order.targets, jobs, jobs: counts.jobs, since: beginning.mark, drain)
    }

    private func run(in window: Int, _ targets: [Target], _ settled: SettledSession) async throws {
        var seen: Set<String> = []
        let groups = group.filter { seen.insert($0).inserted }
        let options = WindowOptions(
            targets: targets, groups: groups.isEmpty ? [nil] : groups,
            kind: !resume ? .every : failed ? .failed : .lacking, window: window, limit: limit,
            delay: .seconds(delay), restarts: restart)
        try await settled.with(metrics: dryRun ? nil : .ifFree, opening: Backends.open) { session in
            try await session.sampling {
                let run = WindowRun(session: session, options: options, isJSON: json)
                if dryRun { return try await run.count() }
                let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
                warnOfCropServices()
                guard let (jobs, count, mark) = try await run.submit(drain), wait, !drain.isBegun else { return }
                try await waitForRows(session, targets, jobs, jobs: count, since: mark, drain)
            }
        }
    }

    private func submit(_ production: Production, _ drain: Drain) async throws -> Production.Submitted {
        let progress = Progress(resume ? "images submitted" : "jobs submitted")
        let services = production.order.targets.count
        let submitted = try await production.run(drain) { counts, images in
            // It is not known in advance how many jobs an image lacks, so resuming counts images.
            if resume {
                let note = ([counted(counts.jobs, "job")] + counts.notes).joined(separator: ", ")
                progress.show(counts.images, of: images, note: note)
            } else {
                progress.show(counts.jobs, of: images * services, note: counts.notes.joined(separator: ", "))
            }
        }
        progress.end()
        report(submitted, production.order)
        CommandFailure.tell(skipped: submitted.skipped)
        return submitted
    }

    private func report(_ submitted: Production.Submitted, _ order: ProductionOrder) {
        guard !json else { return Terminal.output(submitted.json(order).text) }
        let counts = submitted.counts
        Terminal.output(
            "\(counted(counts.jobs, "job")) \(dryRun ? "would be submitted" : "submitted"): "
                + "\(counted(counts.images, "image")) × " + order.targets.map(\.service).joined(separator: ", "))
    }

    private func warnOfCropServices() {
        if services == "full_catalog" {
            Terminal.error(
                "farm: warning: full_catalog includes crop services; whole-image jobs for them need workers started by hand: "
                    + "farm work \(Enrichment.services.filter { $0 != "colors" }.joined(separator: " "))")
        }
    }

    private func warn(_ production: Production) async throws {
        warnOfCropServices()
        guard resume else { return }
        let waiting = try await production.waiting()
        if waiting > 0 {
            Terminal.error(
                "farm: warning: \(waiting) jobs of these services still wait; those images may be submitted twice")
        }
    }

    private func list() throws {
        let configuration = try options.load().services
        for category in [ServiceCategory.primary, .spatialOnly] {
            Terminal.output(Terminal.bold("\(category.rawValue):"))
            var table = Table([("service", .left), ("port", .right), ("address", .left), ("description", .left)])
            for service in configuration.services where service.category == category {
                table.add([service.name, "\(service.port)", service.host, service.description])
            }
            Terminal.output(table.text + "\n")
        }
        Terminal.output(Terminal.bold("\(ServiceCategory.postProcessing.rawValue):"))
        Terminal.output(configuration.postProcessing.map(\.rawValue).joined(separator: "\n"))
    }

    private func waitForRows(
        _ session: FarmSession, _ targets: [Target], _ submission: SubmittedJobs, jobs: Int, since mark: FailureMark,
        _ drain: Drain
    ) async throws {
        let factory = RoleFactory(session.context, session.backends)
        let services = factory.servicesToAsk(targets.map(\.service)).map(\.name)
        let reachability = Reachability(services, workers: session.backends.store) { await factory.outage(of: $0) }
        let state = StoreState(
            session.backends.store, services: targets.map(\.service), roles: PostProcessing.allCases)
        let progress = JobProgress(jobs: jobs)
        let hint = WorkerHint(store: session.backends.store, heartbeats: session.backends.heartbeats) {
            Terminal.error("farm: warning: \($0)")
        }
        let watch = IdleWatch(
            queue: session.backends.queue, store: session.backends.store, time: session.time, log: session.log("farm"),
            queues: targets.map { ($0.service, $0.queue) }, roles: PostProcessing.allCases, submission: submission,
            outages: { await reachability.outages() },
            knows: { services.contains($0) },
            refusal: { await state.refusal() },
            progress: {
                progress.show($0)
                await hint.look(at: $0)
            })
        let undone = try await drain.until { try await watch.run() }
        progress.end()
        guard let undone else { return }
        try await CommandFailure.check(undone: undone, in: session.backends.store, since: mark)
    }
}

extension ProducerCounts {
    /// What is waited for.
    var notes: [String] { waiting.map { "waiting for \($0.queue): \($0.cause)" } }
}
