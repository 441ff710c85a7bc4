import ArgumentParser
import ImageLists
import Imaging
import Model
import Operations
import Pipeline

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Loads images into the table images; running it twice adds nothing twice.",
        discussion: """
            A folder is searched for images, recursively; files that are no images are skipped and counted, \
            images that are truncated or too large refused. Camera raw, pictures that farm itself has drawn, hidden entries \
            and what NAS boxes and systems put into folders are left out. A CSV list needs a header naming image_path, \
            image_url, image_filename or image_group. A URL is taken as it is, not fetched. An image is known by its \
            absolute path, else its URL, else its filename.

            The exit code is 3 when all is in but for what was refused: damaged pictures, named files that are no images, \
            lines of a list that are no record. They are told and remembered: --refused lists them. It is 1 when a name \
            leads nowhere.

            Examples:
              farm import photos/ --group holiday
              farm import photos/ --exclude '*_thumb.jpg' --exclude previews/
              farm import list.csv --group coco2017
              farm import http://nas.local/photos/1.jpg
              farm import /srv/photos --url-prefix http://nas.local/photos
              farm import --existing --group coco2017      give a group to rows that have none
              farm import --moved /srv/old=/srv/new        a folder has another name now
              farm import --refused                        what was refused, and why
            """)

    @Argument(help: "Folders, image files, CSV lists and URLs of images.", completion: .file()) var paths: [String] = []
    @Option(help: "The group the images belong to.") var group: String?
    @Option(
        help: ArgumentHelp(
            "Where services find the named folder, or that of the list: sets image_url.", valueName: "url"))
    var urlPrefix: String?
    @Flag(help: "Write the path or URL that an image is named with where another one is stored.") var update = false
    @Flag(help: "Put images that are there already into the named group.") var move = false
    @Flag(help: "Give the group to all images that have none.") var existing = false
    @Option(
        help: ArgumentHelp(
            "Rewrite the paths of a folder, or file, that has another name now, and do nothing else.",
            valueName: "old=new"))
    var moved: String?
    @Flag(help: "List what was refused, and do nothing else.") var refused = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var folders: FolderOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if existing && group == nil { throw ValidationError("--existing needs --group: which group shall they get?") }
        if move && group == nil { throw ValidationError("--move needs --group: where to?") }
        _ = try prefix()
        let loads = existing || !paths.isEmpty
        switch (refused, moved) {
        case (true, nil) where !loads: break
        case (false, let moved?) where !loads:
            do { _ = try FolderMove(moved) } catch { throw ValidationError("--moved: \(error.message).") }
        case (false, nil):
            if !loads { throw ValidationError("Name folders, images, CSV lists or URLs; or --existing --group NAME.") }
        default: throw ValidationError("--refused and --moved stand alone: they import nothing.")
        }
    }

    private func prefix() throws -> URLPrefix? {
        do { return try urlPrefix.map { text throws(URLPrefix.Fault) in try URLPrefix(text) } } catch {
            throw ValidationError("--url-prefix: \(error.message).")
        }
    }

    func run() async throws {
        try await OpenSession.with(options) {
            try await $0.store(readsOnly: refused).store
        } _: { session in
            if refused { return try await RefusedList(records: session.backends).print(json: json) }
            if let moved { return try await FolderMove(moved).run(in: session.backends, json: json) }
            let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
            var assigned = 0
            if existing, let group { assigned = try await session.backends.assignGroup(group) }
            let cropper = PictureCropper(parallelism: 1, root: session.settings.images.root)
            let list = ImageList(
                group: group, urlPrefix: try prefix(), excluded: folders.excluded, cropper: cropper)
            let images = ImageImport(
                list: list, catalogue: session.backends, move: move, update: update, isVerbose: folders.verbose)
            let outcome = try await images.run(paths, drain: drain, progress: Progress("imported"))
            report(outcome, assigned)
            if drain.isBegun { Terminal.error("farm: stopped; run it again to load the rest") }
            try outcome.check()
        }
    }

    private func report(_ outcome: ImportOutcome, _ assigned: Int) {
        outcome.tellFaults()
        if json {
            let members = outcome.members + [JSON.Member("assigned", .int(Int64(assigned)))]
            return Terminal.output(JSON.object(members).text)
        }
        var parts = paths.isEmpty ? [] : outcome.parts(movedInto: move ? group : nil)
        if existing { parts.append("\(counted(assigned, "image")) without a group put into \(group ?? "")") }
        Terminal.output(parts.joined(separator: ", "))
    }
}

/// How commands look through folders.
struct FolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Leave out of folders what this pattern names, as rsync reads it; may be given several times.",
            valueName: "glob"))
    var exclude: [String] = []
    @Flag(help: "Tell every file that is not imported, and why.") var verbose = false

    var excluded: [Glob] { exclude.compactMap(Glob.init) }

    func validate() throws {
        if exclude.contains(where: { Glob($0) == nil }) { throw ValidationError("--exclude names nothing.") }
    }
}
