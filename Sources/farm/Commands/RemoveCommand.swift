import ArgumentParser
import Model
import Operations
import Pipeline

struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Removes images with everything that belongs to them, by image or group; asks first.",
        discussion: """
            The images' rows are removed together with their results, boxes, enrichments and consensus. Photo files \
            are not touched. An image is named by its id, path, URL or filename. If it is imported again, it is a \
            new image.

            Jobs of removed images that wait or are in progress become dead letters (unknown_image). To avoid this, \
            run farm purge --group first; to drop the letters, run farm dead drop --reason unknown_image.

            Examples:
              farm remove --group trip --dry-run
              farm remove --group trip --yes
              farm remove photos/1.jpg 17
            """)

    @Argument(help: "Images: id, path, URL or filename.") var images: [String] = []
    @Option(help: "All images in this group.") var group: String?
    @Flag(help: "Count what would be removed, but remove nothing.") var dryRun = false
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
            let run = RowDroppingRun(
                confirmation: confirmation, isDryRun: dryRun, isJSON: json, question: "Remove", participle: "removed",
                text: { "\(counted($0.images, "image")) with \($0.findingsText)" })
            let pages = try await ImagePages(store, named: images, group: group)
            try await run.run(Remove(pages: pages, store: store)) {
                Signals.shared.drain(within: session.settings.shutdownTimeout)
            }
        }
    }
}
