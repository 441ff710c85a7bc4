import Foundation
import Model
import Pipeline
import Waiting

extension ImageList {
    func readCSV(_ path: String, _ drain: Drain, _ body: (FoundImages) async throws -> Void) async throws {
        guard let file = FileHandle(forReadingAtPath: path) else {
            return try await body(FoundImages(skipped: [SkippedFile(place: path, reason: "cannot be opened")]))
        }
        defer { try? file.close() }
        var reader = CSVReader()
        var header: CSVHeader?
        var findings = FoundImages()
        func take(_ record: CSVReader.Record) throws {
            let damage =
                record.isUTF8 ? nil : CSVReader.Fault(line: record.line, message: "not UTF-8: save the list as UTF-8")
            guard let known = header else {
                if let damage { throw damage }
                header = try CSVHeader(record, prefix: urlPrefix)
                return
            }
            do {
                if let damage { throw damage }
                findings.images.append(try known.image(record, relativeTo: path, group: group, prefix: urlPrefix))
            } catch let fault as CSVReader.Fault {
                findings.skipped.append(SkippedFile(place: "\(path):\(fault.line)", reason: fault.message))
            }
        }
        do {
            while let chunk = try file.read(upToCount: 1 << 16), !chunk.isEmpty, !drain.isBegun {
                try reader.read(chunk, take)
                if findings.count >= ImageList.batch {
                    try await body(findings)
                    findings = FoundImages()
                }
            }
            if !drain.isBegun { try reader.finish(take) }
            if header == nil, !drain.isBegun { throw CSVReader.Fault(line: 1, message: "empty: \(CSVHeader.help)") }
        } catch let fault as CSVReader.Fault {
            let reason = header == nil ? fault.message : "\(fault.message): nothing from there on was read"
            findings.skipped.append(SkippedFile(place: "\(path):\(fault.line)", reason: reason))
        }
        try await body(findings)
    }
}
