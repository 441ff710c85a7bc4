import Files
import Model
import Pipeline

/// One of farm's own files, which no output may overwrite.
package struct OwnFile: Sendable {
    /// Its path.
    package var path: String
    /// A description for people: `the log (LOG_FILE)`.
    package var what: String

    package init(path: String, what: String) {
        self.path = path
        self.what = what
    }
}

/// Decides where a command may write a file: over nothing that farm reads (spec section 1). An existing file is checked
/// when it is written.
package struct OutputPlaces {
    private let catalogue: any ImageCatalogue
    /// The files that farm itself reads and writes.
    private let own: [OwnFile]
    private let force: Bool

    /// - Parameter force: whether images may be overwritten.
    package init(_ own: [OwnFile], _ catalogue: any ImageCatalogue, force: Bool) {
        self.own = own
        self.catalogue = catalogue
        self.force = force
    }

    /// - Throws: `OperationFault`, `PortFault`.
    package func check(_ path: String) async throws {
        let names = try names(of: path)
        let identity = FileIdentity(of: path)
        for file in own where names.contains(PathText.absolute(file.path)) || identity.isSame(as: file.path) {
            throw OperationFault.failed("\(path) is \(file.what): no output is written over it")
        }
        guard !force else { return }
        for name in names {
            guard let image = try await catalogue.find(name).first(where: { $0.path == name }) else { continue }
            throw OperationFault.failed(
                "\(path) is the path of image \(image.id): no output is written over an image; name another, or add --force"
            )
        }
    }

    /// The path in the forms in which `images` may hold it: as given, with its own link followed, and without any link.
    private func names(of path: String) throws(OperationFault) -> Set<String> {
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
