import Foundation
import Model

/// Which column of a CSV list holds what.
struct CSVHeader {
    static let help = "the first line must name columns among image_path, image_url, image_filename, image_group"

    private static let names: [String: WritableKeyPath<NewImage, String?> & Sendable] = [
        "image_path": \.path, "path": \.path, "image_url": \.url, "url": \.url, "image_filename": \.filename,
        "filename": \.filename, "image_group": \.group, "group": \.group,
    ]

    private var columns: [(WritableKeyPath<NewImage, String?>)?]

    /// - Throws: `CSVReader.Fault` when no column says where an image is.
    init(_ record: CSVReader.Record) throws {
        columns = record.fields.map { CSVHeader.names[$0.trimmingCharacters(in: .whitespaces).lowercased()] }
        guard columns.contains(\.path) || columns.contains(\.url) || columns.contains(\.filename) else {
            throw CSVReader.Fault(line: record.line, message: "no header: \(CSVHeader.help)")
        }
    }

    /// - Parameter list: the CSV file: relative paths are relative to its folder.
    /// - Throws: `CSVReader.Fault` with the record's line.
    func image(_ record: CSVReader.Record, relativeTo list: String, group: String?) throws -> NewImage {
        guard record.fields.count == columns.count else {
            throw CSVReader.Fault(
                line: record.line, message: "\(record.fields.count) fields, the header has \(columns.count)")
        }
        guard !record.fields.contains(where: { $0.utf8.contains(0) }) else {
            throw CSVReader.Fault(line: record.line, message: "a NUL byte")
        }
        var image = NewImage()
        for (column, field) in zip(columns, record.fields) where !field.isEmpty {
            if let column { image[keyPath: column] = field }
        }
        if let path = image.path {
            let whole = PathText.isAbsolute(path) ? path : PathText.join(PathText.folder(of: list), path)
            image.path = PathText.absolute(whole)
            guard whole.utf8.count <= 4096 else {
                throw CSVReader.Fault(line: record.line, message: "a path of \(whole.utf8.count) bytes; 4096 at most")
            }
        }
        if let url = image.url, !ImageList.isURL(url) {
            throw CSVReader.Fault(line: record.line, message: "image_url is no http or https URL")
        }
        guard image.path ?? image.url ?? image.filename != nil else {
            throw CSVReader.Fault(line: record.line, message: "neither path, URL nor filename")
        }
        if image.filename == nil {
            image.filename = (image.path ?? image.url.flatMap { URL(string: $0)?.path }).map(PathText.lastComponent)
        }
        image.group = image.group ?? group
        return image
    }
}
