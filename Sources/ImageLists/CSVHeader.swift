import Files
import Foundation
import Model
import Pipeline

/// The columns of a CSV list that farm reads.
struct CSVHeader {
    static let help = "the first line must name columns among image_path, image_url, image_filename, image_group"

    private static let names: [String: WritableKeyPath<NewImage, String?> & Sendable] = [
        "image_path": \.path, "path": \.path, "image_url": \.url, "url": \.url, "image_filename": \.filename,
        "filename": \.filename, "image_group": \.group, "group": \.group,
    ]

    private var columns: [(WritableKeyPath<NewImage, String?>)?]

    /// - Parameter prefix: as in `image`.
    /// - Throws: `CSVReader.Fault` if no column says where an image is, or if none can follow the prefix.
    init(_ record: CSVReader.Record, prefix: URLPrefix? = nil) throws {
        columns = record.fields.map { CSVHeader.names[$0.trimmingCharacters(in: .whitespaces).lowercased()] }
        guard columns.contains(\.path) || columns.contains(\.url) || columns.contains(\.filename) else {
            throw CSVReader.Fault(line: record.line, message: "no header: \(CSVHeader.help)\(CSVHeader.hint(record))")
        }
        guard prefix == nil || columns.contains(\.path) || columns.contains(\.filename) else {
            throw CSVReader.Fault(
                line: record.line,
                message: "--url-prefix cannot be used for a list without image_path and image_filename")
        }
    }

    /// The separator that some programs use where numbers contain commas.
    private static func hint(_ record: CSVReader.Record) -> String {
        let parted = record.fields.joined(separator: ",")
        for (separator, name) in [(";" as Character, "semicolons"), ("\t", "tabs")]
        where parted.split(separator: separator).contains(where: {
            names[$0.trimmingCharacters(in: .whitespaces).lowercased()] != nil
        }) {
            return "; these are separated by \(name): save the list with commas"
        }
        return ""
    }

    /// Reads one record.
    /// - Parameters:
    ///   - list: the CSV file. Relative paths begin in its folder.
    ///   - prefix: the URL at which a service finds that folder.
    /// - Throws: `CSVReader.Fault` with the line of the record.
    func image(
        _ record: CSVReader.Record, relativeTo list: String, group: String?, prefix: URLPrefix? = nil
    ) throws(CSVReader.Fault) -> NewImage {
        func fault(_ message: String) -> CSVReader.Fault { CSVReader.Fault(line: record.line, message: message) }
        guard record.fields.count == columns.count else {
            throw fault("\(record.fields.count) fields, the header has \(columns.count)")
        }
        guard !record.fields.contains(where: { $0.utf8.contains(0) }) else { throw fault("a NUL byte") }
        var image = NewImage()
        for (column, field) in zip(columns, record.fields) where !field.isEmpty {
            if let column { image[keyPath: column] = field }
        }
        let folder = PathText.folder(of: list)
        do throws(ListedPath.Fault) { try CSVHeader.place(&image, in: folder) } catch { throw fault(error.message) }
        if let url = image.url, !ImageList.isURL(url) { throw fault("image_url is no http or https URL") }
        guard image.path ?? image.url ?? image.filename != nil else { throw fault("neither path, URL nor filename") }
        if let prefix, image.url == nil {
            guard
                let below = image.path.map({ PathText.path(of: $0, below: PathText.absolute(folder)) })
                    ?? image.filename
            else {
                throw fault(
                    "--url-prefix cannot be used for a path that is not below the list's folder: give image_url")
            }
            image.url = prefix.url(of: below)
        }
        if image.filename == nil {
            image.filename = (image.path ?? image.url.flatMap { URL(string: $0)?.path }).map(PathText.lastComponent)
        }
        image.group = image.group ?? group
        return image
    }

    /// Makes the path absolute, or turns it into the image's URL if it is one.
    private static func place(_ image: inout NewImage, in folder: String) throws(ListedPath.Fault) {
        guard let written = image.path else { return }
        switch try ListedPath(written) {
        case .url(let url):
            guard image.url == nil || image.url == url else {
                throw ListedPath.Fault(message: "image_path and image_url are two URLs")
            }
            (image.path, image.url) = (nil, url)
        case .file(let path):
            let whole = PathText.isAbsolute(path) ? path : PathText.join(folder, path)
            guard whole.utf8.count <= 4096 else {
                throw ListedPath.Fault(message: "a path of \(whole.utf8.count) bytes; 4096 at most")
            }
            let absolute = PathText.absolute(whole)
            // Such a name is possible here but rare, while lists from Windows are common.
            guard
                !path.utf8.contains(UInt8(ascii: "\\")) || PathText.isAbsolute(path)
                    || FileIdentity(of: absolute) != nil
            else { throw ListedPath.Fault(message: "a Windows path, with \\: write it with /") }
            image.path = absolute
        }
    }
}
