import ArgumentParser
import Composition
import Foundation
import Model
import Operations
import Pipeline
import Roles
import Waiting

/// The options that merge, enrich and consense share: they serve their queue, or recompute named images now.
struct RecomputeOptions: ParsableArguments {
    @Option(name: .customLong("image"), parsing: .upToNextOption, help: "Recompute these images (ids) now, then exit.")
    var images: [Int] = []
    @Flag(help: "Recompute all images now, then exit.") var all = false

    /// Whether the queue is served, since nothing is to be recomputed.
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
    let role: PostProcessing
    let recompute: RecomputeOptions

    /// - Parameter recomputation: computes these images now.
    func run(_ options: SettingsOptions, recomputation: @Sendable (RoleFactory) -> ImageRecomputation.Compute)
        async throws
    {
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

    private func run(
        _ session: FarmSession, _ compute: @escaping ImageRecomputation.Compute, _ drain: Drain
    ) async throws {
        let progress = Progress("recomputed")
        let recomputation = ImageRecomputation(
            role: role, images: recompute.all ? nil : recompute.images, store: session.backends.store, compute: compute)
        let outcome = try await recomputation.run(drain) { progress.show($0, of: $1) }
        progress.end()
        report(outcome.counts)
        if let fault = outcome.fault { throw fault }
    }

    private func report(_ counts: RecomputationCounts) {
        var line = "\(counted(counts.done, "image")) recomputed"
        if role == .enricher { line += "; \(counts.askedAgain) asked again, \(counts.failed) failed" }
        Terminal.output(line)
    }
}
