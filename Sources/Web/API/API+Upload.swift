import HTTPTypes
import Hummingbird
import Model
import Operations

extension API {
    /// What an upload came with.
    struct UploadForm: Sendable {
        var folder: UploadFolder
        var draft: UploadDraft
        /// As its sender calls it.
        var filename: String?
        /// Names with commas between them.
        var services: String?
        var group: String?
        var callbackURL: String?
        var until: String?
    }

    /// The boundaries and the other fields of a form.
    private static let rest = 64 << 10
    private static let longestField = 4 << 10

    /// Writes a file to the folder of uploads as it comes in. Whatever fails, nothing is left of it.
    /// - Throws: `Problem` and what writing throws.
    func upload(_ request: Request, _ boundary: String) async throws -> UploadForm {
        guard let uploads else {
            throw Problem(
                .uploadsOff, "this server takes no uploads: WEB_UPLOAD_DIR in its .env names a folder for them")
        }
        let tooLarge = Problem(.tooLarge, "an upload has at most \(UploadFolder.limit >> 20) MiB")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }),
            length > UploadFolder.limit + API.rest
        {
            throw tooLarge
        }
        let draft = try await uploads.begin()
        do {
            return try await read(request, boundary, uploads, draft, tooLarge)
        } catch {
            await draft.discard()
            throw error
        }
    }

    private func read(
        _ request: Request, _ boundary: String, _ uploads: UploadFolder, _ draft: UploadDraft, _ tooLarge: Problem
    ) async throws -> UploadForm {
        var reader = MultipartReader(boundary: boundary)
        var form = FormFields()
        var (size, total) = (0, 0)
        for try await chunk in request.body {
            total += chunk.readableBytes
            guard total <= UploadFolder.limit + API.rest else { throw tooLarge }
            for event in try API.events(of: chunk, &reader) {
                switch event {
                case .part(let name, let filename): try form.begin(name, filename)
                case .bytes(let bytes) where form.isInFile:
                    size += bytes.count
                    guard size <= UploadFolder.limit else { throw tooLarge }
                    try await draft.write(bytes)
                case .bytes(let bytes): try form.add(bytes, upTo: API.longestField)
                }
            }
        }
        guard reader.isComplete else { throw Problem(.badRequest, "the upload ended before its last boundary") }
        guard form.hasFile else { throw Problem(.badBody, "it has no part named file", parameter: "file") }
        return UploadForm(
            folder: uploads, draft: draft, filename: form.filename, services: try form.text("services", upTo: 2000),
            group: try form.text("group", upTo: 255),
            callbackURL: try form.text("callback_url", upTo: API.longestCallbackURL),
            until: try form.text("until", upTo: 20))
    }

    private static func events(
        of chunk: ByteBuffer, _ reader: inout MultipartReader
    ) throws(Problem) -> [MultipartReader.Event] {
        do { return try reader.read(chunk.readableBytesView) } catch {
            throw Problem(.badRequest, "the form cannot be read: it has \(error.text)")
        }
    }
}

/// The fields of a form beside its file.
private struct FormFields {
    private static let known = ["callback_url", "file", "group", "services", "until"]

    private var fields: [String: [UInt8]] = [:]
    private var current = ""
    private(set) var filename: String?
    private(set) var hasFile = false

    var isInFile: Bool { current == "file" }

    /// - Throws: `Problem` for a name that is not known, or there twice.
    mutating func begin(_ name: String, _ filename: String?) throws(Problem) {
        guard FormFields.known.contains(name) else {
            throw Problem(
                .badBody, "unknown part; known are \(FormFields.known.joined(separator: ", "))",
                parameter: String(name.prefix(100)))
        }
        current = name
        if name == "file" {
            guard !hasFile else { throw Problem(.badBody, "one image at a time", parameter: name) }
            hasFile = true
            self.filename = filename.map { $0.escapingSteering() }
        } else {
            guard fields.updateValue([], forKey: name) == nil else {
                throw Problem(.badBody, "it is there twice", parameter: name)
            }
        }
    }

    mutating func add(_ bytes: [UInt8], upTo limit: Int) throws(Problem) {
        fields[current, default: []] += bytes
        guard fields[current]?.count ?? 0 <= limit else {
            throw Problem(.badBody, "it is too long", parameter: current)
        }
    }

    /// - Throws: `Problem` for anything but a text of 1 to so many characters.
    func text(_ name: String, upTo limit: Int) throws(Problem) -> String? {
        guard let bytes = fields[name] else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0),
            (1...limit).contains(text.unicodeScalars.count)
        else { throw Problem(.badBody, "it has 1 to \(limit) characters, in UTF-8, without NUL", parameter: name) }
        return text
    }
}
