import Foundation
import Model
import Pipeline

/// What was passed over on the way, and why.
package struct SkippedFile: Sendable {
    package var place: String
    package var reason: String

    package init(place: String, reason: String) {
        self.place = place
        self.reason = reason
    }
}

/// Finds the images that an import names: in folders (recursively), files and CSV lists.
package struct ImageList: Sendable {
    let group: String?
    /// Put before the path below the named folder, percent-encoded: where a service finds the same file.
    let urlPrefix: String?
    let cropper: any ImageCropper

    /// What one named path led to.
    package struct Findings: Sendable {
        package var images: [NewImage] = []
        /// Files in a folder that are no images: no fault.
        package var skipped: [SkippedFile] = []
        /// Pictures in a folder that farm itself has drawn: no fault either.
        package var drawn: [SkippedFile] = []
        /// Named files that are none, lines that are no record.
        package var faults: [SkippedFile] = []

        /// How many files and lines these are.
        var count: Int { images.count + skipped.count + drawn.count + faults.count }
    }

    private static let batch = 500

    package init(group: String?, urlPrefix: String?, cropper: any ImageCropper) {
        self.group = group
        self.urlPrefix = urlPrefix
        self.cropper = cropper
    }

    /// Hands out what it finds in batches, so that memory does not grow with their number.
    /// - Throws: what `body` throws.
    package func read(_ path: String, drain: Drain, _ body: (Findings) async throws -> Void) async throws {
        if ImageList.isURL(path) {
            let name = URL(string: path).map { PathText.lastComponent(of: $0.path) }
            return try await body(Findings(images: [NewImage(filename: name, url: path, group: group)]))
        }
        guard FileManager.default.fileExists(atPath: path) else {
            return try await body(Findings(faults: [SkippedFile(place: path, reason: "no such file or folder")]))
        }
        if ImageList.isFolder(path) {
            try await readFolder(path, drain, body)
        } else if path.lowercased().hasSuffix(".csv") {
            try await readCSV(path, drain, body)
        } else {
            var findings = Findings()
            switch await look(at: path) {
            case .image: findings.images.append(image(path, below: PathText.folder(of: path)))
            case .drawn:
                findings.faults.append(
                    SkippedFile(place: path, reason: "a picture that farm has drawn, no photo: import the photo itself")
                )
            case .none(let fault): findings.faults.append(SkippedFile(place: path, reason: fault.message))
            }
            try await body(findings)
        }
    }

    /// What a file is.
    private enum Look {
        case image
        /// A picture with boxes and labels that farm itself has written.
        case drawn
        case none(PictureFault)
    }

    private func look(at path: String) async -> Look {
        do {
            return try await cropper.inspect(.file(path)).isDrawnByFarm ? .drawn : .image
        } catch { return .none(error) }
    }

    private func image(_ path: String, below folder: String) -> NewImage {
        let absolute = PathText.absolute(path)
        let below = String(
            decoding: absolute.utf8.dropFirst(PathText.absolute(folder).utf8.count).drop { $0 == UInt8(ascii: "/") },
            as: UTF8.self)
        return NewImage(
            filename: PathText.lastComponent(of: absolute), path: absolute,
            url: urlPrefix.map {
                $0 + (below.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? below)
            },
            group: group)
    }

    /// Whether a service can fetch it: http or https, with a host.
    package static func isURL(_ text: String) -> Bool {
        guard let url = URL(string: text), let host = url.host, !host.isEmpty else { return false }
        return ["http", "https"].contains(url.scheme?.lowercased())
    }

    // MARK: Folders

    private func readFolder(_ folder: String, _ drain: Drain, _ body: (Findings) async throws -> Void) async throws {
        var findings = Findings()
        for step in FolderWalk(folder) {
            if let fault = step.fault { findings.faults.append(SkippedFile(place: step.folder, reason: fault)) }
            for entry in step.unnamed { await take(entry, into: &findings) }
            for file in step.files {
                switch await look(at: file) {
                case .image: findings.images.append(image(file, below: folder))
                case .drawn: findings.drawn.append(SkippedFile(place: file, reason: "drawn by farm itself"))
                case .none(let fault):
                    let skipped = SkippedFile(place: file, reason: fault.message)
                    if fault.isOfNoImage { findings.skipped.append(skipped) } else { findings.faults.append(skipped) }
                }
                if findings.count >= ImageList.batch {
                    try await body(findings)
                    findings = Findings()
                }
                if drain.isBegun { break }
            }
            if drain.isBegun { break }
        }
        try await body(findings)
    }

    /// What is no image anyway is skipped as such.
    private func take(_ entry: UnnamedEntry, into findings: inout Findings) async {
        if entry.isFolder {
            let reason = "\(UncheckedName.fault); nothing in this folder was read"
            return findings.faults.append(SkippedFile(place: entry.place, reason: reason))
        }
        if let head = entry.head {
            do {
                _ = try await cropper.inspect(.bytes(head))
            } catch  where error.isOfNoImage || head.isEmpty {
                return findings.skipped.append(SkippedFile(place: entry.place, reason: error.message))
            } catch {
                // Of a picture more than its beginning would be needed.
            }
        }
        findings.faults.append(SkippedFile(place: entry.place, reason: UncheckedName.fault))
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    // MARK: Counting

    /// About how many files and lines `read` will look at: every file of a folder, every line of a list. A quoted line
    /// break counts too, and what comes or goes meanwhile is not seen.
    package func count(_ paths: [String], drain: Drain) -> Int {
        var count = 0
        for path in paths where !drain.isBegun {
            if ImageList.isFolder(path) {
                for step in FolderWalk(path) {
                    guard !drain.isBegun else { break }
                    count += step.files.count + step.unnamed.count
                }
            } else if path.lowercased().hasSuffix(".csv") {
                count += ImageList.lines(of: path)
            } else {
                count += 1
            }
        }
        return count
    }

    /// Lines below the header; none of what is no regular file, which can be read but once.
    private static func lines(of path: String) -> Int {
        guard FileIdentity(of: path)?.isRegular == true, let file = FileHandle(forReadingAtPath: path) else { return 0 }
        defer { try? file.close() }
        var (breaks, last) = (0, UInt8(ascii: "\n"))
        while let chunk = try? file.read(upToCount: 1 << 16), let end = chunk.last {
            breaks += chunk.count { $0 == UInt8(ascii: "\n") }
            last = end
        }
        return max(0, breaks - (last == UInt8(ascii: "\n") ? 1 : 0))
    }

    // MARK: CSV

    private func readCSV(_ path: String, _ drain: Drain, _ body: (Findings) async throws -> Void) async throws {
        guard let file = FileHandle(forReadingAtPath: path) else {
            return try await body(Findings(faults: [SkippedFile(place: path, reason: "cannot be opened")]))
        }
        defer { try? file.close() }
        var reader = CSVReader()
        var header: CSVHeader?
        var findings = Findings()
        func take(_ record: CSVReader.Record) throws {
            let damage = record.isUTF8 ? nil : CSVReader.Fault(line: record.line, message: "not UTF-8")
            guard let known = header else {
                if let damage { throw damage }
                header = try CSVHeader(record)
                return
            }
            do {
                if let damage { throw damage }
                findings.images.append(try known.image(record, relativeTo: path, group: group))
            } catch let fault as CSVReader.Fault {
                findings.faults.append(SkippedFile(place: "\(path):\(fault.line)", reason: fault.message))
            }
        }
        do {
            while let chunk = try file.read(upToCount: 1 << 16), !chunk.isEmpty, !drain.isBegun {
                try reader.read(chunk, take)
                if findings.images.count + findings.faults.count >= ImageList.batch {
                    try await body(findings)
                    findings = Findings()
                }
            }
            if !drain.isBegun { try reader.finish(take) }
            if header == nil { throw CSVReader.Fault(line: 1, message: "empty: \(CSVHeader.help)") }
        } catch let fault as CSVReader.Fault {
            let reason = header == nil ? fault.message : "\(fault.message): nothing from there on was read"
            findings.faults.append(SkippedFile(place: "\(path):\(fault.line)", reason: reason))
        }
        try await body(findings)
    }
}
