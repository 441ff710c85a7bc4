import ArgumentParser
import ImageLists
import Imaging
import Model
import Pipeline

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Loads images into the table images; running it twice adds nothing twice.",
        discussion: """
            A folder is searched for images, recursively; files that are no images are skipped and counted, \
            images that are truncated or too large refused. Pictures that farm itself has drawn are left out. A CSV list \
            needs a header naming image_path, image_url, image_filename or image_group. A URL is taken as it is, not \
            fetched. An image is known by its absolute path, else its URL, else its filename.

            Examples:
              farm import photos/ --group holiday
              farm import list.csv --group coco2017
              farm import http://nas.local/photos/1.jpg
              farm import /srv/photos --url-prefix http://nas.local/photos/
              farm import --existing --group coco2017      give a group to rows that have none
            """)

    @Argument(help: "Folders, image files, CSV lists and URLs of images.", completion: .file()) var paths: [String] = []
    @Option(help: "The group the images belong to.") var group: String?
    @Option(help: ArgumentHelp("Where services find the named folder: sets image_url.", valueName: "url"))
    var urlPrefix: String?
    @Flag(help: "Put images that are there already into the named group.") var move = false
    @Flag(help: "Give the group to all images that have none.") var existing = false
    @Flag(help: "Print the counts as JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if existing && group == nil { throw ValidationError("--existing needs --group: which group shall they get?") }
        if move && group == nil { throw ValidationError("--move needs --group: where to?") }
        if let urlPrefix, !["http://", "https://"].contains(where: urlPrefix.lowercased().hasPrefix) {
            throw ValidationError("--url-prefix must begin with http:// or https://, is \(urlPrefix).")
        }
        if !existing && paths.isEmpty {
            throw ValidationError("Name folders, images, CSV lists or URLs; or --existing --group NAME.")
        }
    }

    func run() async throws {
        try await OpenSession.with(options) {
            try await $0.store().store
        } _: { session in
            let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
            var assigned = 0
            if existing, let group { assigned = try await session.backends.assignGroup(group) }
            let cropper = PictureCropper(parallelism: 1, root: session.settings.images.root)
            let list = ImageList(group: group, urlPrefix: urlPrefix, cropper: cropper)
            let images = ImageImport(list: list, catalogue: session.backends, move: move)
            let outcome = try await images.run(paths, drain: drain, progress: Progress("imported"))
            report(outcome, assigned)
            if drain.isBegun { Terminal.error("farm: stopped; run it again to load the rest") }
            if outcome.refused > 0 { throw CommandFailure(exitCode: 1, message: "") }
        }
    }

    private func report(_ outcome: ImageImport.Outcome, _ assigned: Int) {
        outcome.tellFaults()
        let counts = outcome.counts
        if json {
            Terminal.output(
                JSON.object([
                    "added": .int(Int64(counts.added)), "existing": .int(Int64(counts.existing)),
                    "moved": .int(Int64(counts.moved)), "skipped": .int(Int64(outcome.skipped)),
                    "drawn": .int(Int64(outcome.drawn)),
                    "refused": .int(Int64(outcome.refused)), "assigned": .int(Int64(assigned)),
                ]).text)
            return
        }
        var parts = paths.isEmpty ? [] : ["\(counts.added) added", "\(counts.existing) there already"]
        if move { parts.append("\(counts.moved) moved into \(group ?? "")") }
        if outcome.skipped > 0 { parts.append("\(counted(outcome.skipped, "file")) skipped: no image") }
        if outcome.drawn > 0 { parts.append("\(counted(outcome.drawn, "picture")) skipped: drawn by farm") }
        if outcome.refused > 0 { parts.append("\(outcome.refused) refused") }
        if existing { parts.append("\(counted(assigned, "image")) without a group put into \(group ?? "")") }
        Terminal.output(parts.joined(separator: ", "))
    }
}

extension ImageImport.Outcome {
    func tellFaults() {
        for fault in faults {
            // A picture's fault names its file itself.
            let isPlaced = fault.reason.hasPrefix(fault.place)
            Terminal.error("farm: " + ((isPlaced ? "" : fault.place + ": ") + fault.reason).escapingSteering())
        }
        if refused > faults.count { Terminal.error("farm: … and \(refused - faults.count) more") }
    }
}
