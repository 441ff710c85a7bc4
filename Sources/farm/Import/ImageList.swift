import Foundation
import Model
import Pipeline

/// What was passed over on the way, and why.
struct SkippedFile: Sendable {
    var place: String
    var reason: String
}

/// Finds the images that an import names: in folders (recursively), files and CSV lists.
struct ImageList: Sendable {
    let group: String?
    /// Put before the path below the named folder, percent-encoded: where a service finds the same file.
    let urlPrefix: String?
    let cropper: any ImageCropper

    /// What one named path led to.
    struct Findings: Sendable {
        var images: [NewImage] = []
        /// Files in a folder that are no images: no fault.
        var skipped: [SkippedFile] = []
        /// Named files that are none, lines that are no record.
        var faults: [SkippedFile] = []
    }

    private static let batch = 500

    /// Hands out what it finds in batches, so that memory does not grow with their number.
    /// - Throws: what `body` throws.
    func read(_ path: String, drain: Drain, _ body: (Findings) async throws -> Void) async throws {
        guard FileManager.default.fileExists(atPath: path) else {
            return try await body(Findings(faults: [SkippedFile(place: path, reason: "no such file or folder")]))
        }
        if ImageList.isFolder(path) {
            try await readFolder(path, drain, body)
        } else if path.lowercased().hasSuffix(".csv") {
            try await readCSV(path, drain, body)
        } else {
            var findings = Findings()
            if let fault = await fault(of: path) {
                findings.faults.append(SkippedFile(place: path, reason: fault.message))
            } else {
                findings.images.append(image(path, below: (path as NSString).deletingLastPathComponent))
            }
            try await body(findings)
        }
    }

    private func fault(of path: String) async -> PictureFault? {
        do {
            _ = try await cropper.inspect(.file(path))
            return nil
        } catch { return error }
    }

    private func image(_ path: String, below folder: String) -> NewImage {
        let absolute = ImageList.absolute(path)
        let below = absolute.dropFirst(ImageList.absolute(folder).count).drop { $0 == "/" }
        return NewImage(
            filename: (absolute as NSString).lastPathComponent, path: absolute,
            url: urlPrefix.map {
                $0 + (below.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? String(below))
            },
            group: group)
    }

    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    // MARK: Folders

    private func readFolder(_ folder: String, _ drain: Drain, _ body: (Findings) async throws -> Void) async throws {
        var findings = Findings()
        var folders = [folder]
        // A link may lead back to a folder above it.
        var seen: Set<String> = []
        while let next = folders.popLast(), !drain.isBegun {
            guard seen.insert(URL(fileURLWithPath: next).resolvingSymlinksInPath().path).inserted else { continue }
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: next)
            } catch {
                findings.faults.append(
                    SkippedFile(place: next, reason: "cannot be read: \(error.localizedDescription)"))
                continue
            }
            // Sorted, so that a second run and another box see the same order.
            let entries = names.filter { !$0.hasPrefix(".") }.sorted().map {
                (next as NSString).appendingPathComponent($0)
            }
            folders += entries.filter(ImageList.isFolder).reversed()
            for entry in entries where !ImageList.isFolder(entry) {
                if let fault = await fault(of: entry) {
                    findings.skipped.append(SkippedFile(place: entry, reason: fault.message))
                } else {
                    findings.images.append(image(entry, below: folder))
                }
                if findings.images.count + findings.skipped.count >= ImageList.batch {
                    try await body(findings)
                    findings = Findings()
                    if drain.isBegun { return }
                }
            }
        }
        try await body(findings)
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
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
            guard let known = header else {
                header = try CSVHeader(record)
                return
            }
            do {
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
            findings.faults.append(SkippedFile(place: "\(path):\(fault.line)", reason: fault.message))
        }
        try await body(findings)
    }
}
