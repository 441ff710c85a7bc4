import ArgumentParser
import Foundation
import Imaging
import Model
import Operations
import Pipeline

struct ExportCommand: AsyncParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case coco, jsonl, csv
    }

    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Exports boxes as COCO JSON, or everything as JSON Lines or CSV.",
        discussion: """
            coco has merged boxes with their scores. Each image has a file_name of its own: its path below \
            info.image_folder, the folder that all images share. It has width and height if its file can be read \
            here.

            jsonl has one image on each line, in the form of farm show --json.

            csv has one row for each merged box, or, with --what, for each newest result of a service, enrichment of \
            a box, or emoji of the consensus.

            An output file appears when it is complete, or not at all. It replaces an earlier export; it replaces \
            other files only with --force.

            Examples:
              farm export --group coco2017 --output boxes.json
              farm export -o everything.jsonl
              farm export --format csv --what consensus | sort -t, -k6 | less
            """)

    @Option(help: "coco, jsonl or csv. By default the ending of the output's name decides, or else it is coco.")
    var format: Format?
    @Option(help: "For csv: boxes (the default), results, enrichments or consensus.") var what: TableExport.Content?
    @Option(name: .shortAndLong, help: "Only images in this group.") var group: String?
    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"),
        completion: .file())
    var output: String?
    @Flag(help: "Let --output replace any file, not only an earlier export.") var force = false
    @OptionGroup var options: SettingsOptions

    private var chosenFormat: Format {
        if let format { return format }
        switch output.map({ ($0 as NSString).pathExtension.lowercased() }) {
        case "jsonl", "ndjson": return .jsonl
        case "csv": return .csv
        default: return what == nil ? .coco : .csv
        }
    }

    func validate() throws {
        if what != nil && chosenFormat != .csv {
            throw ValidationError("--what chooses among the tables of csv; \(chosenFormat.rawValue) has only one form.")
        }
    }

    func run() async throws {
        try await OpenSession.with(options, logs: .ifPossible) {
            try await $0.store(readsOnly: true).store
        } _: { session in
            let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
            var shown: (title: String, progress: Progress)?
            defer { shown?.progress.end() }
            do {
                let source = try await ExportSource(session.backends, group: group, drain: drain) {
                    title, done, total in
                    if shown?.title != title { shown = (title, Progress(title)) }
                    shown?.progress.show(done, of: total)
                }
                if let output {
                    try await OutputPlaces(session.settings.ownFiles, session.backends, force: force).check(output)
                }
                let file = try ExportFile(output, replacesAny: force)
                let cropper = PictureCropper(parallelism: 1, root: session.settings.imageRoot)
                let export = Export(
                    source: source, size: { try? await cropper.uprightSize(.file($0)) }, version: FarmVersion.number)
                let written = try await export.write(form, to: file)
                try file.complete()
                report(written, images: source.total)
            } catch is ExportSource.Stopped {
                Terminal.error("farm: stopped" + (output.map { "; \($0) is not written" } ?? ""))
            } catch is ExportFile.ReaderGone {}
        }
    }

    private var form: Export.Format {
        switch chosenFormat {
        case .coco: .coco
        case .jsonl: .jsonl
        case .csv: .csv(what ?? .boxes)
        }
    }

    private func report(_ written: Export.Written, images: Int) {
        let counts: String
        switch written {
        case .boxes(let boxes, let unreadable):
            if unreadable > 0 {
                Terminal.error(
                    "farm: warning: \(counted(unreadable, "row")) of merged_boxes left out: no label or merged_bbox")
            }
            counts = ", \(counted(boxes, "box"))"
        case .images: counts = ""
        case .rows(let rows): counts = ", \(counted(rows, "row"))"
        }
        Terminal.error("farm: \(counted(images, "image"))\(counts)\(output.map { " in \($0)" } ?? "")")
    }
}

extension TableExport.Content: ExpressibleByArgument {}
