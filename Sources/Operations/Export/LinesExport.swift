import Model

/// Everything about an image on one line of JSON, in the shape of `farm show --json` (https://jsonlines.org).
struct LinesExport {
    private static let pageSize = 50

    /// The beginning of every such export, unless it has no images.
    static let beginning = Array("{\"image\":{\"image_id\":".utf8)

    func write(_ source: ExportSource, to file: some ExportSink) async throws {
        try await source.read("images exported", pageSize: LinesExport.pageSize) { page in
            var text: [UInt8] = []
            for report in try await source.store.report(on: page.map(\.id)) {
                text += report.json.bytes
                text.append(UInt8(ascii: "\n"))
            }
            try file.write(text)
        }
    }
}
