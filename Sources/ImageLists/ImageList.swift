import Foundation
import Model
import Pipeline
import Waiting

/// Finds the images that an import names: in folders (recursively), files and CSV lists.
package struct ImageList: Sendable {
    let group: String?
    let urlPrefix: URLPrefix?
    let rules: FolderRules
    let cropper: any ImageCropper

    /// What was found at one named path.
    package struct FoundImages: Sendable {
        package var images: [NewImage] = []
        package var skipped: [SkippedFile] = []

        package init(images: [NewImage] = [], skipped: [SkippedFile] = []) {
            self.images = images
            self.skipped = skipped
        }

        /// How many files and lines there are.
        var count: Int { images.count + skipped.count }
    }

    static let batch = 500

    /// - Parameters:
    ///   - urlPrefix: the URL at which services find what is below a named folder.
    ///   - excluded: what is left out in folders.
    package init(
        group: String?, urlPrefix: URLPrefix? = nil, excluded: [Glob] = [], cropper: any ImageCropper
    ) {
        self.group = group
        self.urlPrefix = urlPrefix
        rules = FolderRules(excluded: excluded)
        self.cropper = cropper
    }

    /// The path that a `file:` URL means. Other arguments are returned as they are.
    package static func path(meantBy argument: String) -> String {
        guard argument.lowercased().hasPrefix("file:/"), !FileManager.default.fileExists(atPath: argument),
            case .file(let path)? = try? ListedPath(argument)
        else { return argument }
        return path
    }

    /// Returns what it finds in batches, so that memory does not grow with the number of files.
    /// - Throws: what `body` throws.
    package func read(_ path: String, drain: Drain, _ body: (FoundImages) async throws -> Void) async throws {
        if ImageList.isURL(path) {
            guard urlPrefix == nil else {
                let refused = SkippedFile(
                    place: path, reason: "--url-prefix cannot be used for an image named by its URL")
                return try await body(FoundImages(skipped: [refused]))
            }
            return try await body(FoundImages(images: [image(at: path)]))
        }
        guard FileManager.default.fileExists(atPath: path) else {
            let missing = SkippedFile(place: path, reason: "no such file or folder", kind: .missing)
            return try await body(FoundImages(skipped: [missing]))
        }
        if ImageList.isFolder(path) {
            try await readFolder(path, drain, body)
        } else if path.lowercased().hasSuffix(".csv") {
            try await readCSV(path, drain, body)
        } else {
            try await body(await look(at: path).named(image(path, below: PathText.folder(of: path))))
        }
    }

    /// The image at one path or URL, which names no folder and no list. A file is looked at as in a folder; a URL is not.
    package func single(_ place: String) async -> FoundImages {
        guard !ImageList.isURL(place) else { return FoundImages(images: [image(at: place)]) }
        return await look(at: place).named(image(place, below: PathText.folder(of: place)))
    }

    private func image(at url: String) -> NewImage {
        NewImage(filename: URL(string: url).map { PathText.lastComponent(of: $0.path) }, url: url, group: group)
    }

    /// The result of looking at a file.
    private enum Look {
        case image
        case skipped(SkippedFile)

        /// The result if the file itself was named, so that nothing may be passed over.
        func named(_ image: NewImage) -> FoundImages {
            guard case .skipped(var file) = self else { return FoundImages(images: [image]) }
            switch file.kind {
            case .drawn: file.reason = "a picture that farm has drawn, not a photo: import the photo itself"
            case .noImage, .cameraRaw, .leftOut, .refused, .missing: break
            }
            file.kind = .refused
            return FoundImages(skipped: [file])
        }
    }

    private func look(at path: String) async -> Look {
        func skipped(_ kind: SkippedFile.Kind, _ reason: String) -> Look {
            .skipped(SkippedFile(place: path, reason: reason, kind: kind))
        }
        do {
            return try await cropper.inspect(.file(path)).isDrawnByFarm
                ? skipped(.drawn, "drawn by farm itself") : .image
        } catch {
            let name = path + ": "
            let reason = error.message.hasPrefix(name) ? String(error.message.dropFirst(name.count)) : error.message
            let kind: SkippedFile.Kind = error.cameraRaw != nil ? .cameraRaw : error.isOfNoImage ? .noImage : .refused
            return .skipped(SkippedFile(place: path, reason: reason, kind: kind, outline: error.outline))
        }
    }

    private func image(_ path: String, below folder: String) -> NewImage {
        let absolute = PathText.absolute(path)
        let below = PathText.path(of: absolute, below: PathText.absolute(folder)) ?? absolute
        return NewImage(
            filename: PathText.lastComponent(of: absolute), path: absolute, url: urlPrefix?.url(of: below),
            group: group)
    }

    /// Whether a service can fetch it: an http or https URL with a host.
    package static func isURL(_ text: String) -> Bool {
        guard let url = URL(string: text), let host = url.host, !host.isEmpty else { return false }
        return ["http", "https"].contains(url.scheme?.lowercased())
    }

    /// The place of a named path, independent of the working directory. A URL is one already.
    package static func absolute(_ place: String) -> String { isURL(place) ? place : PathText.absolute(place) }

    // MARK: Folders

    private func readFolder(_ folder: String, _ drain: Drain, _ body: (FoundImages) async throws -> Void) async throws {
        var findings = FoundImages()
        for step in FolderWalk(folder, rules) {
            if let fault = step.fault { findings.skipped.append(SkippedFile(place: step.folder, reason: fault)) }
            findings.skipped += step.leftOut
            for entry in step.unnamed { findings.skipped.append(await look(at: entry)) }
            for file in step.files {
                switch await look(at: file) {
                case .image: findings.images.append(image(file, below: folder))
                case .skipped(let file): findings.skipped.append(file)
                }
                if findings.count >= ImageList.batch {
                    try await body(findings)
                    findings = FoundImages()
                }
                if drain.isBegun { break }
            }
            if drain.isBegun { break }
        }
        try await body(findings)
    }

    /// If it is no image in any case, it is skipped as such.
    private func look(at entry: UnnamedEntry) async -> SkippedFile {
        if entry.isFolder {
            let reason = "\(UncheckedName.fault); nothing in this folder was read"
            return SkippedFile(place: entry.place, reason: reason)
        }
        if let head = entry.head {
            do {
                _ = try await cropper.inspect(.bytes(head))
            } catch  where error.isOfNoImage || head.isEmpty {
                return SkippedFile(place: entry.place, reason: error.message, kind: .noImage)
            } catch {
                // For a picture, more than its beginning would be needed.
            }
        }
        return SkippedFile(place: entry.place, reason: UncheckedName.fault)
    }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
