import ArgumentParser
import Composition
import Foundation
import ImageLists
import Imaging
import Model
import Operations
import Pipeline
import Roles
import Settings
import Waiting

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Does everything in one go on this machine: imports, submits, processes, waits, and prints what was found.",
        discussion: """
            Jobs that have a successful result, or have failed for good, are not repeated, so a second run takes \
            seconds. --failed repeats those that have failed; see farm produce --help. --pictures replaces pictures \
            that farm has drawn before; it replaces other files only with --force. New images are printed first.

            The exit code is 3 if everything is done except for what the import refused. farm import --refused lists \
            that.

            With --web, pages show the photos and the work from the beginning on, and stay until Ctrl-C.

            Examples:
              farm run photos/
              farm run photos/ --pictures annotated/
              farm run photos/ --web                 look at the photos in a browser
              SERVICE_CONFIG=examples/services/service_config.json farm run a.jpg b.jpg
            """)

    @Argument(help: "Folders, image files, CSV lists and URLs of images.", completion: .file()) var paths: [String]
    @Option(help: "The group that the images belong to.") var group: String?
    @Option(
        help: ArgumentHelp("Write each photo with its boxes and labels to this folder.", valueName: "folder"),
        completion: .directory)
    var pictures: String?
    @Flag(help: "Also repeat what has failed for good.") var failed = false
    @Flag(help: "Let --pictures replace any files, not only pictures that farm has drawn.")
    var force = false
    @Flag(help: "Print what was found as JSON.") var json = false
    @OptionGroup var folders: FolderOptions
    @OptionGroup var pages: WebOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await FarmSession.with(options, metrics: .ifFree, opening: Backends.open) { session in
            try await session.sampling {
                try await session.servingPages(pages) { try await run(session, pagesAt: $0) }
            }
        }
    }

    /// - Parameter url: the first page, which stays when everything is done.
    private func run(_ session: FarmSession, pagesAt url: String?) async throws {
        guard let url else { return try await run(session) }
        var failure: CommandFailure?
        do { try await run(session) } catch let fault as CommandFailure {
            guard !Signals.shared.wasInterrupted else { throw fault }
            if !fault.message.isEmpty { Terminal.error("farm: \(fault.message)") }
            failure = CommandFailure(exitCode: fault.exitCode, message: "")
        }
        Terminal.error("farm: look at the photos at \(url)images; Ctrl-C ends it")
        await Signals.shared.drain(within: session.settings.shutdownTimeout).wait()
        if let failure { throw failure }
    }

    private func run(_ session: FarmSession) async throws {
        let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
        let factory = RoleFactory(session.context, session.backends)
        guard !factory.configuration.workers.isEmpty else {
            throw CommandFailure.unusable(
                "service_config.json names no primary service with \"work\" true for this machine")
        }
        let known = try await session.backends.store.newestID()
        let mark = try await session.backends.store.failureMark()
        let outcome = try await load(session, factory, drain)
        let images = newFirst(outcome.ids, after: known)
        let undone = try await process(session, factory, images, newerThan: known, drain)
        guard !Signals.shared.wasInterrupted else {
            throw CommandFailure(exitCode: Signals.shared.exitCode, message: "stopped; run it again to do the rest")
        }
        let isDrawn = try await report(session, factory, images)
        try await CommandFailure.check(undone: undone, in: session.backends.store, since: mark)
        if !isDrawn { throw CommandFailure(exitCode: 1, message: "") }
        try outcome.check()
    }

    private func load(_ session: FarmSession, _ factory: RoleFactory, _ drain: Drain) async throws -> ImportOutcome {
        let list = ImageList(group: group, excluded: folders.excluded, cropper: factory.cropper)
        let images = ImageImport(
            list: list, catalogue: session.backends.store, verbose: folders.tell, keepsIDs: true)
        let outcome = try await images.run(paths, drain)
        outcome.tellFaults()
        guard !outcome.ids.isEmpty else { throw CommandFailure.failed("no image in \(paths.joined(separator: ", "))") }
        return outcome
    }

    /// Each image once: those that this run has added, then those that were there before.
    private func newFirst(_ ids: [ImageID], after known: ImageID) -> [ImageID] {
        var seen: Set<ImageID> = []
        let images = ids.filter { seen.insert($0).inserted }
        let new = images.filter { $0 > known }
        if !new.isEmpty, new.count < images.count {
            Terminal.error("farm: \(new.count) of \(images.count) images are new and come first")
        }
        return new + images.filter { $0 <= known }
    }

    /// Jobs of an interrupted run may still wait. Their images are not submitted again before these are done.
    private func process(
        _ session: FarmSession, _ factory: RoleFactory, _ images: [ImageID], newerThan known: ImageID, _ drain: Drain
    ) async throws -> [String] {
        let workers = factory.configuration.workers
        let targets = workers.map { Target(service: $0.name, queue: $0.queue) }
        let depths = try await session.backends.queue.depths(of: targets.map(\.queue))
        let backlogged = zip(targets, depths).filter { $1.waiting + $1.knownInFlight > 0 }.map(\.0)
        if !failed {
            let filter = ImageFilter(ids: images)
            CommandFailure.tell(
                skipped: try await session.backends.store.finalErrors(filter, of: targets.map(\.service)))
        }
        try await submit(session, images, to: targets.filter { !backlogged.contains($0) }, drain)
        try await submit(session, images.filter { $0 > known }, to: backlogged, drain)

        let queues = workers.map { ($0.name, $0.queue) }
        let total = try await session.backends.queue.depths(of: targets.map(\.queue)).reduce(0) {
            $0 + $1.waiting + $1.knownInFlight
        }
        let progress = JobProgress(jobs: total)
        let watch = IdleWatch(
            queue: session.backends.queue, store: session.backends.store, time: session.time, log: session.log("farm"),
            queues: queues,
            roles: PostProcessing.allCases, outages: { factory.outages() }, refusal: { factory.refusal },
            postponed: { factory.postponed() }, cropServices: factory.configuration.cropServices,
            progress: { progress.show($0) })
        let roles =
            workers.map { factory.worker($0, isOneOfSeveral: true) }
            + PostProcessing.allCases.map { factory.postProcessing($0, isOneOfSeveral: true) }
        defer { progress.end() }
        return try await Serving(factory: factory).run(roles, drain: drain) {
            let undone = try await watch.run()
            guard !backlogged.isEmpty, undone.isEmpty else { return undone }
            try await submit(session, images, to: backlogged, drain)
            return try await watch.run()
        }
    }

    private func submit(_ session: FarmSession, _ images: [ImageID], to targets: [Target], _ drain: Drain) async throws
    {
        guard !images.isEmpty, !targets.isEmpty else { return }
        let producer = Producer(
            catalogue: session.backends.store, queue: session.backends.queue, time: session.time,
            log: session.log("farm"), tracer: session.context.tracer)
        let filter = ImageFilter(
            ids: images, lacking: targets.map(\.service), answers: failed ? .success : .settled)
        let progress = Progress("images submitted")
        defer { progress.end() }
        _ = try await producer.run(
            ProducerOptions(targets: targets, filter: filter),
            drain: drain
        ) { counts in
            let note = ([counted(counts.jobs, "job")] + counts.notes).joined(separator: ", ")
            progress.show(counts.images, of: images.count, note: note)
        }
    }

    /// - Returns: whether every picture that was asked for is written. A photo that cannot be drawn does not stop the
    ///   others.
    private func report(_ session: FarmSession, _ factory: RoleFactory, _ images: [ImageID]) async throws -> Bool {
        if let pictures { try makeFolder(pictures) }
        var drawn = 0
        if json { Terminal.output("[", terminator: "") }
        for (index, id) in images.enumerated() {
            for report in try await session.backends.store.report(on: [id]) {
                if json {
                    Terminal.output((index > 0 ? "," : "") + report.json.text, terminator: "")
                } else {
                    Terminal.output(report.summary + "\n")
                }
                if let pictures, try await draw(report, into: pictures, session, factory) { drawn += 1 }
            }
        }
        if json { Terminal.output("]") }
        if let pictures {
            let all = counted(images.count, "annotated picture")
            let count = drawn == images.count ? all : "\(drawn) of \(all)"
            Terminal.error("farm: \(count) in \(PathText.absolute(pictures))")
        }
        return pictures == nil || drawn == images.count
    }

    /// - Returns: whether it is drawn. If not, the reason has been shown.
    /// - Throws: `PortFault`.
    private func draw(
        _ report: ImageReport, into folder: String, _ session: FarmSession, _ factory: RoleFactory
    ) async throws -> Bool {
        let path = PathText.join(folder, report.image.pictureName)
        do {
            try await OutputPlaces(session.settings.ownFiles, session.backends.store, force: force).check(path)
            try await AnnotatedPicture(
                cropper: factory.cropper, fetcher: factory.pictures,
                annotator: Annotator(root: session.settings.images.root)
            ).write(report, to: path, replacesAny: force)
            return true
        } catch let fault as OperationFault {
            let place = report.image.shownPlace ?? "\(report.image.id)"
            Terminal.error("farm: no picture of \(place): \(fault.message)")
            return false
        }
    }
}

extension ImageReport {
    /// What `farm run` prints about an image: what the services agreed on.
    fileprivate var summary: String {
        let boxes = findings.boxes.compactMap(\.box)
            .map {
                "\($0.emoji ?? "") \($0.label) \(String(format: "%.2f", $0.score)) (\($0.contributingServices.joined(separator: ", ")))"
            }
        let votes = voteTable
        var lines = [Terminal.bold(image.shownPlace ?? "image \(image.id)")]
        lines.append(votes.rows.isEmpty ? "  no emoji has votes of enough services" : votes.text.indented)
        if let undecided = undecidedText { lines.append("  " + undecided) }
        if !boxes.isEmpty { lines.append(Terminal.harmless("  boxes: " + boxes.joined(separator: "; "))) }
        let failed = (consensus?["services_failed"]?.arrayValue ?? []).compactMap(\.stringValue)
        if !failed.isEmpty { lines.append(Terminal.harmless("  failed: " + failed.joined(separator: ", "))) }
        return lines.joined(separator: "\n")
    }
}

extension String {
    fileprivate var indented: String { split(separator: "\n").map { "  " + $0 }.joined(separator: "\n") }
}
