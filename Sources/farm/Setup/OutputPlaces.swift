import Files
import Model
import Pipeline
import Settings

/// Where a command may write a file: over nothing that is read (spec section 1). What is there already is looked at where
/// it is written.
struct OutputPlaces {
    private let catalogue: any ImageCatalogue
    /// What farm itself reads and writes, with its paths.
    private let own: [(path: String, what: String)]
    private let force: Bool

    /// - Parameter force: images give way.
    init(_ settings: Settings, _ options: SettingsOptions, _ catalogue: any ImageCatalogue, force: Bool) {
        self.catalogue = catalogue
        self.force = force
        let database = ["", "-wal", "-shm", "-journal"].map {
            (path: settings.embeddedPath + $0, what: "farm's database (FARM_DB)")
        }
        let files = [
            (options.envFile ?? ".env", "the file of settings"), (settings.services.path, "the service configuration"),
            (settings.log.file, "the log (LOG_FILE)"),
        ]
        own = database + files.compactMap { path, what in path.map { (path: $0, what: what) } }
    }

    /// - Throws: `CommandFailure`, `PortFault`.
    func check(_ path: String) async throws {
        let names = try names(of: path)
        let identity = FileIdentity(of: path)
        for file in own where names.contains(PathText.absolute(file.path)) || identity.isSame(as: file.path) {
            throw CommandFailure.failed("\(path) is \(file.what): no output is written over it")
        }
        guard !force else { return }
        for name in names {
            guard let image = try await catalogue.find(name).first(where: { $0.path == name }) else { continue }
            throw CommandFailure.failed(
                "\(path) is the path of image \(image.id): no output is written over an image; name another, or add --force"
            )
        }
    }

    /// The path as it may stand in `images`: as it is given, where its own link leads, and without any link.
    private func names(of path: String) throws(CommandFailure) -> Set<String> {
        do throws(OutputFault) {
            let target = try OutputFile.target(of: path)
            let real = FileIdentity.realPath(of: target).map { [$0] } ?? []
            return Set([PathText.absolute(path), PathText.absolute(target)] + real)
        } catch { throw .failed(error.message) }
    }
}

extension FileIdentity? {
    fileprivate func isSame(as path: String) -> Bool { self != nil && self == FileIdentity(of: path) }
}
