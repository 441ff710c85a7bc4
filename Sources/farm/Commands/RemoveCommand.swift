import ArgumentParser
import Model
import Operations
import Pipeline

struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Removes images with all that hangs on them, by image or group; asks first.",
        discussion: """
            The images' rows go with their results, boxes, enrichments and consensus. No photo file is touched. An image is \
            named by its id, path, URL or filename; one that is imported again is a new image.

            Jobs of removed images that still wait, or are being done, end among the dead letters (unknown_image): \
            farm purge --group first drops those that wait, farm dead drop --reason unknown_image the letters.

            Examples:
              farm remove --group trip --dry-run
              farm remove --group trip --yes
              farm remove photos/1.jpg 17
            """)

    @Argument(help: "Images: id, path, URL or filename.") var images: [String] = []
    @Option(help: "All images of this group.") var group: String?
    @Flag(help: "Count what would be removed; remove nothing.") var dryRun = false
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
            let dropping = RowDropping(
                pages: try await ImagePages(store, named: images, group: group), confirmation: confirmation,
                isDryRun: dryRun, isJSON: json, question: "Remove", participle: "removed",
                text: { "\(counted($0.images, "image")) with \($0.findingsText)" })
            try await dropping.run {
                Signals.shared.drain(within: session.settings.shutdownTimeout)
            } count: { page in
                var totals = try await store.holdings(of: page)
                totals.images = page.count
                return totals
            } drop: {
                try await store.remove($0)
            }
        }
    }
}
