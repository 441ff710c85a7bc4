import ArgumentParser
import Model
import Operations
import Pipeline
import Waiting

struct ForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Drops results and everything derived from them, by group, image or service; asks first.",
        discussion: """
            Results, boxes, enrichments and consensus are dropped. The images stay (farm remove drops those), and so \
            do their waiting jobs, which will store new results (farm purge drops those). An image is named by its \
            id, path, URL or filename.

            With --service, only the answers of these services are dropped, and the images are merged and voted on \
            again without them. Use this for a service that has changed, or was taken out of service_config.json. \
            Boxes that other detectors have seen too stay until the merger computes them again. farm purge --service \
            drops its waiting jobs, and farm dead drop --service its dead letters.

            Examples:
              farm forget --group holiday --dry-run
              farm forget --group holiday --yes
              farm forget photos/1.jpg 17
              farm forget --service rtdetr                  of all images
              farm forget --service rtdetr,clip --group holiday
            """)

    @Argument(help: "Images: id, path, URL or filename.") var images: [String] = []
    @Option(help: "All images in this group.") var group: String?
    @Option(help: ArgumentHelp("Only the answers of these services, separated by commas.", valueName: "services"))
    var service: String?
    @Flag(help: "Count what would be dropped, but drop nothing.") var dryRun = false
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "Print the counts as JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    private var services: [String]? {
        service?.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }

    func validate() throws {
        if !images.isEmpty && group != nil { throw ValidationError("Name images or a --group, not both.") }
        if images.isEmpty && group == nil && service == nil {
            throw ValidationError("Name images, a --group, or a --service.")
        }
        if services?.isEmpty == true { throw ValidationError("--service names no service.") }
    }

    func run() async throws {
        if !dryRun { try confirmation.check() }
        let needsQueue = service != nil && !dryRun
        try await OpenSession.with(options) { connections in
            (try await connections.store().store, needsQueue ? try await connections.queue() : nil)
        } _: { (session: OpenSession<(Store, Queue?)>) in
            let (store, queue) = session.backends
            let pages = try await ImagePages(store, named: images, group: group)
            let run = RowDroppingRun(
                confirmation: confirmation, isDryRun: dryRun, isJSON: json, question: "Forget", participle: "forgotten",
                text: { "\($0.findingsText) of \(counted($0.images, "image"))" })
            func drain() -> Drain { Signals.shared.drain(within: session.settings.shutdownTimeout) }
            guard let services else {
                try await run.run(Forget(pages: pages, store: store), drain: drain)
                return
            }
            var again: Retrigger?
            if let queue { again = try await Retrigger(services, session.settings.directory, queue) }
            let dropping = ForgetServices(pages: pages, store: store, services: services, retrigger: again)
            let dropped = try await run.run(dropping, drain: drain)
            if let again, dropped.asksAgain > 0 { Terminal.error("farm: \(again.text(dropped.asksAgain))") }
            if dropped.totals == Totals() { try await tellOfServices(store) }
        }
    }

    /// Warns of unknown services: a name may be mistyped.
    private func tellOfServices(_ store: Store) async throws {
        let names = try await store.services().map(\.service)
        let others =
            names.isEmpty ? "there are no results at all" : "there are results of " + names.joined(separator: ", ")
        Terminal.error("farm: nothing of \(service ?? "") is there; \(others)")
    }
}
