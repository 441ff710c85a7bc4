import ArgumentParser
import Imaging
import Model
import Operations
import Pipeline
import Services

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows an image's results, boxes, enrichments and votes, and can draw them into the photo.",
        discussion: """
            An image is named by its id, path, URL or filename. For a file that an import has refused, it gives the \
            reason.

            Examples:
              farm show examples/photos/two_dogs.jpg
              farm show 17 --picture out.jpg
              farm show 17 18 --json
            """)

    @Argument(help: "Images: id, path, URL or filename.", completion: .file()) var images: [String]
    @Option(
        help: ArgumentHelp(
            "Write the photo with its boxes and labels to this file (.jpg, .png, .webp).", valueName: "file"),
        completion: .file())
    var picture: String?
    @Flag(help: "Let --picture replace any file, not only a picture that farm has drawn.")
    var force = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard let picture else { return }
        do { try Annotator.checkExtension(of: picture) } catch { throw ValidationError("--picture: \(error)") }
    }

    func run() async throws {
        try await OpenSession.with(options, logs: .ifPossible) {
            try await $0.store(readsOnly: true).store
        } _: { session in
            let found = try await find(session.backends)
            for path in found.compactMap(\.path) {
                guard let refusal = try await session.backends.refusal(of: path) else { continue }
                Terminal.error("farm: warning: \(refusal.text)".escapingSteering())
            }
            let reports = try await session.backends.report(on: found.map(\.id))
            if json {
                Terminal.output(JSON.array(reports.map(\.json)).text)
            } else {
                Terminal.output(reports.map(\.text).joined(separator: "\n\n"))
            }
            if let picture, let report = reports.first {
                try await OutputPlaces(session.settings.ownFiles, session.backends, force: force).check(picture)
                let policy = session.settings.images
                try await AnnotatedPicture(
                    cropper: PictureCropper(parallelism: 1, root: policy.root), fetcher: HTTPClient(policy: policy),
                    annotator: Annotator(root: policy.root)
                ).write(report, to: picture, replacesAny: force)
                Terminal.error("farm: \(picture) written")
            }
        }
    }

    private func find(_ store: Store) async throws -> [Image] {
        let found = try await store.images(named: images)
        if picture != nil && found.count > 1 {
            let names = found.map { "\($0.id) (\($0.path ?? $0.url ?? $0.filename ?? ""))" }.joined(separator: ", ")
            throw CommandFailure.unusable("--picture draws one image; \(images.joined(separator: " ")) names \(names)")
        }
        return found
    }
}
