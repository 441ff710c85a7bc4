import ArgumentParser
import ImageLists
import Imaging
import Model
import Operations
import Pipeline
import Waiting

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Loads images into the table images. Running it again adds nothing twice.",
        discussion: """
            Folders are searched recursively. Files that are not images are skipped and counted; images that are \
            truncated or too large are refused. Left out are camera raw, pictures that farm itself has drawn, hidden \
            files, and what NAS devices and operating systems put into folders. A CSV list needs a header with \
            image_path, image_url, image_filename or image_group. A URL is stored but not fetched. An image is \
            identified by its absolute path, or else its URL, or else its filename.

            The exit code is 3 if everything was imported except for what was refused: damaged pictures, named files \
            that are not images, and bad lines of a list. These are reported and remembered; --refused lists them. \
            The exit code is 1 if a path does not exist.

            Examples:
              farm import photos/ --group holiday
              farm import photos/ --exclude '*_thumb.jpg' --exclude previews/
              farm import list.csv --group coco2017
              farm import http://nas.local/photos/1.jpg
              farm import /srv/photos --url-prefix http://nas.local/photos
              farm import --existing --group coco2017      put images without a group into one
              farm import --moved /srv/old=/srv/new        after a folder was renamed
              farm import --refused                        what was refused, and why
            """)

    @Argument(help: "Folders, image files, CSV lists and URLs of images.", completion: .file()) var paths: [String] = []
    @Option(help: "The group that the images belong to.") var group: String?
    @Option(
        help: ArgumentHelp(
            "The URL under which services find the imported folder, or the list's folder; sets image_url.",
            valueName: "url"))
    var urlPrefix: String?
    @Flag(help: "Store the path or URL of a known image if another one is stored.") var update = false
    @Flag(help: "Move images that are already known into the group.") var move = false
    @Flag(help: "Put all images without a group into the group.") var existing = false
    @Option(
        help: ArgumentHelp(
            "Rewrite the paths of a folder or file that was renamed, then exit.",
            valueName: "old=new"))
    var moved: String?
    @Flag(help: "List what was refused, then exit.") var refused = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var folders: FolderOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if existing && group == nil { throw ValidationError("--existing needs --group: which group should they get?") }
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
            if let moved { return try await rewrite(FolderMove(moved), session.backends) }
            let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
            var assigned = 0
            if existing, let group { assigned = try await session.backends.assignGroup(group) }
            let cropper = PictureCropper(parallelism: 1, root: session.settings.images.root)
            let list = ImageList(
                group: group, urlPrefix: try prefix(), excluded: folders.excluded, cropper: cropper)
            let images = ImageImport(
                list: list, catalogue: session.backends, move: move, update: update, verbose: folders.tell)
            let outcome = try await images.run(paths, drain)
            report(outcome, assigned)
            if drain.isBegun { Terminal.error("farm: stopped; run it again to load the rest") }
            try outcome.check()
        }
    }

    private func rewrite(_ move: FolderMove, _ records: any ImportRecords) async throws {
        let count = try await move.run(in: records)
        if json {
            Terminal.output(
                JSON.object([
                    "from": .string(move.old), "to": .string(move.new), "rewritten": .int(Int64(count)),
                ]).text)
        } else {
            Terminal.output("\(counted(count, "path")) rewritten from \(move.old) to \(move.new)")
        }
        if count == 0 { Terminal.error("farm: no image has a path below \(move.old); perhaps it was done before") }
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

/// How commands read folders.
struct FolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Leave out what matches this pattern, as in rsync; can be given several times.",
            valueName: "glob"))
    var exclude: [String] = []
    @Flag(help: "List every file that is not imported, and why.") var verbose = false

    /// Receives a line for every file that is not imported. nil if none is shown.
    var tell: ((String) -> Void)? { verbose ? { Terminal.error("farm: \($0)") } : nil }

    var excluded: [Glob] { exclude.compactMap(Glob.init) }

    func validate() throws {
        if exclude.contains(where: { Glob($0) == nil }) { throw ValidationError("--exclude names nothing.") }
    }
}

extension ImageImport {
    /// Imports what a command line names, with progress on the terminal.
    /// - Throws: `PortFault`.
    func run(_ arguments: [String], _ drain: Drain) async throws -> ImportOutcome {
        var damaged = DamagedArguments()
        let progress = Progress("imported")
        defer { progress.end() }
        return try await run(arguments, drain: drain) {
            damaged.take($0)
        } progress: {
            progress.show($0, of: $1)
        }
    }
}

extension ImportOutcome {
    /// Shows the faults and the differences.
    func tellFaults() { for line in faultLines { Terminal.error("farm: \(line)") } }

    /// Ends the command as not successful: done except for what was refused or, if a name leads nowhere, failed.
    /// - Throws: `CommandFailure`.
    func check() throws(CommandFailure) {
        if self[.missing] > 0 { throw CommandFailure(exitCode: 1, message: "") }
        if refused > 0 { throw CommandFailure(exitCode: 3, message: "") }
    }
}
