import ArgumentParser
import Composition
import Foundation
import Model
import Operations
import Pipeline
import Roles
import Waiting

/// What merge, enrich and consense have in common: serving their queue, or recomputing named images now.
struct RecomputeOptions: ParsableArguments {
    @Option(name: .customLong("image"), parsing: .upToNextOption, help: "Recompute these images (ids) now, then exit.")
    var images: [Int] = []
    @Flag(help: "Recompute all images now, then exit.") var all = false

    /// Nothing is to be recomputed: the queue is served.
    var isServing: Bool { !all && images.isEmpty }

    func validate() throws {
        if all && !images.isEmpty { throw ValidationError("--image or --all, not both.") }
        if let bad = images.first(where: { $0 < 1 }) { throw ValidationError("--image takes ids from 1, not \(bad).") }
    }
}

struct MergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Merges the detectors' boxes of each image (weighted boxes fusion).",
        discussion: """
            Examples:
              farm merge                  serve the queue until Ctrl-C
              farm merge --image 17 18    these images now
              farm merge --all            every image now, for instance after a change of "merging" in service_config.json
            """)
    @OptionGroup var recompute: RecomputeOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await PostProcessingRun(role: .merger, recompute: recompute).run(options) { factory in
            Recomputation(factory.merger(), queue: factory.backends.queue).run
        }
    }
}

struct EnrichCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrich",
        abstract: "Crops the merged boxes and sends the crops to the colour, face and pose services.",
        discussion: """
            Crops that have an answer are not sent again. --image and --all retry crops that failed. Triggers from the queue \
            retry only failures that may have passed, not those of a photo that is missing or broken.

            Examples:
              farm enrich                 serve the queue until Ctrl-C
              farm enrich --image 17      this image now
              farm enrich --all           for instance after photos were repaired
            """)
    @OptionGroup var recompute: RecomputeOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await PostProcessingRun(role: .enricher, recompute: recompute).run(options) { factory in
            Recomputation(factory.enricher(asksAgain: true), queue: factory.backends.queue).run
        }
    }
}

struct ConsenseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consense",
        abstract: "Lets all services vote on what each image shows.",
        discussion: """
            Examples:
              farm consense               serve the queue until Ctrl-C
              farm consense --image 17    this image now
              farm consense --all         every image now, for instance after a change of "voting" in service_config.json
            """)
    @OptionGroup var recompute: RecomputeOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await PostProcessingRun(role: .consensus, recompute: recompute).run(options) { factory in
            Recomputation(factory.consensusRole(), queue: factory.backends.queue).run
        }
    }
}

/// Serves the queue of a post-processing role, or recomputes.
struct PostProcessingRun {
    /// Images at once; the enricher holds their pictures in memory.
    private var pageSize: Int { role == .enricher ? 8 : 200 }

    let role: PostProcessing
    let recompute: RecomputeOptions

    typealias Compute = @Sendable ([Image]) async throws -> RecomputationCounts

    /// - Parameter recomputation: does these images now.
    func run(_ options: SettingsOptions, recomputation: @Sendable (RoleFactory) -> Compute) async throws {
        if !recompute.isServing {
            try await FarmSession.with(options) { session in
                let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
                try await run(session, recomputation(RoleFactory(session.context, session.backends)), drain)
            }
        } else {
            try await SettledSession(options).serve { session, drain in
                let factory = RoleFactory(session.context, session.backends)
                let roles = [factory.postProcessing(role, isOneOfSeveral: false)]
                await Serving(factory: factory).run(roles, drain: drain)
            }
        }
    }

    private func run(_ session: FarmSession, _ compute: @escaping Compute, _ drain: Drain) async throws {
        let store = session.backends.store
        let filter = ImageFilter(ids: recompute.all ? nil : recompute.images)
        let total = try await store.count(filter)
        let wanted = Set(recompute.images)
        // No service is asked about what could not be stored.
        for row in PlainRow.of(services: [], roles: [role]) { try await store.probe(row, of: nil) }
        let progress = Progress("recomputed")
        var (seen, after) = (0, 0)
        var counts = RecomputationCounts()
        var found: Set<ImageID> = []
        while !drain.isBegun {
            let page = try await store.images(filter, after: after, limit: pageSize).map(\.image)
            guard let last = page.last else { break }
            after = last.id
            counts += try await drain.until { try await compute(page) } ?? RecomputationCounts()
            seen += page.count
            if !recompute.all { found.formUnion(page.map(\.id)) }
            progress.show(seen, of: total)
        }
        progress.end()
        report(counts)
        let unknown = wanted.subtracting(found).sorted()
        if !unknown.isEmpty && !drain.isBegun {
            throw OperationFault.missing("no image with id \(unknown.map(String.init).joined(separator: ", "))")
        }
        if counts.done < seen {
            let services = try await store.missingEnrichments().keys.sorted().joined(separator: ", ")
            throw CommandFailure.failed("\(counted(seen - counts.done, "image")) not done: away: \(services)")
        }
        if counts.failed > 0 {
            throw CommandFailure.failed("\(counted(counts.failed, "question")) failed: farm show IMAGE says why")
        }
    }

    private func report(_ counts: RecomputationCounts) {
        var line = "\(counted(counts.done, "image")) recomputed"
        if role == .enricher { line += "; \(counts.askedAgain) asked again, \(counts.failed) failed" }
        Terminal.output(line)
    }
}
