import ArgumentParser
import Model
import Pipeline

struct ForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Drops results and all that was derived from them, of a group or of images; asks first.",
        discussion: """
            Results, boxes, enrichments and consensus go; the images stay, and their waiting jobs, whose results come anew: \
            farm purge drops those. An image is named by its id, path, URL or filename.

            Examples:
              farm forget --group holiday --dry-run
              farm forget --group holiday --yes
              farm forget photos/1.jpg 17
            """)

    /// Images in one transaction: others wait for their locks as long.
    private static let page = 200

    @Argument(help: "Images: id, path, URL or filename.") var images: [String] = []
    @Option(help: "All images of this group.") var group: String?
    @Flag(help: "Count what would be dropped; drop nothing.") var dryRun = false
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "Print the counts as JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if images.isEmpty == (group == nil) { throw ValidationError("Name images, or a --group.") }
    }

    func run() async throws {
        if !dryRun { try confirmation.check() }
        try await OpenSession.with(options) {
            try await $0.store().store
        } _: { session in
            let store = session.backends
            let ids = try await store.images(named: images).map(\.id)
            let filter = ImageFilter(group: group, ids: group == nil ? ids : nil)
            let count = try await store.count(filter)
            guard count > 0 else { throw CommandFailure.failed("no image in group \(group ?? "")") }
            if dryRun || !confirmation.yes {
                var there = Totals()
                try await pages(store, filter, count, Drain(), "looked at", into: &there, store.holdings)
                if dryRun { return report(there) }
                try await confirmation.ask("Forget \(ForgetCommand.text(there))?")
            }
            let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
            var forgotten = Totals()
            do {
                try await pages(store, filter, count, drain, "forgotten", into: &forgotten, store.forget)
            } catch {
                Terminal.error(
                    "farm: \(ForgetCommand.text(forgotten)) forgotten before it failed; run it again for the rest")
                throw error
            }
            report(forgotten)
            if drain.isBegun { Terminal.error("farm: stopped; run it again for the rest") }
        }
    }

    private func pages(
        _ store: any ImageCatalogue, _ filter: ImageFilter, _ count: Int, _ drain: Drain, _ title: String,
        into sum: inout Totals, _ work: ([ImageID]) async throws -> Totals
    ) async throws {
        let progress = Progress(title)
        defer { progress.end() }
        var (seen, after) = (0, 0)
        while !drain.isBegun {
            let page = try await store.images(filter, after: after, limit: ForgetCommand.page).map(\.image.id)
            guard let last = page.last else { break }
            sum += try await work(page)
            after = last
            seen += page.count
            progress.show(seen, of: count)
        }
    }

    private func report(_ totals: Totals) {
        if json {
            return Terminal.output(
                JSON.object([
                    "images": .int(Int64(totals.images)), "results": .int(Int64(totals.results)),
                    "merged_boxes": .int(Int64(totals.mergedBoxes)), "consensus": .int(Int64(totals.consensus)),
                    "postprocessing": .int(Int64(totals.postprocessing)), "dry_run": .bool(dryRun),
                ]).text)
        }
        Terminal.output("\(ForgetCommand.text(totals)) \(dryRun ? "would be forgotten" : "forgotten")")
    }

    private static func text(_ totals: Totals) -> String {
        "\(counted(totals.results, "result")), \(counted(totals.mergedBoxes, "merged box")), \(totals.consensus) consensus "
            + "and \(counted(totals.postprocessing, "enrichment")) of \(counted(totals.images, "image"))"
    }
}
