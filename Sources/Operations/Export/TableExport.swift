import Foundation
import Model
import Pipeline

/// One of the tables as CSV (RFC 4180, lines end with LF). Every row begins with its image, in columns that `farm
/// import` reads.
package struct TableExport {
    /// Which table is exported.
    package enum Content: String, CaseIterable {
        case boxes, results, enrichments, consensus
    }

    private static let pageSize = 50
    private static let imageColumns = ["image_id", "image_path", "image_url", "image_filename", "image_group"]

    let content: Content
    private(set) var rows = 0

    init(_ content: Content) { self.content = content }

    mutating func write(_ source: ExportSource, to file: some ExportSink) async throws {
        try file.write(TableExport.beginning(of: content))
        try await source.read("images exported", pageSize: TableExport.pageSize) { page in
            var text: [UInt8] = []
            for report in try await source.store.report(on: page.map(\.id)) {
                let image = report.image
                let place = ["\(image.id)", image.path ?? "", image.url ?? "", image.filename ?? "", image.group ?? ""]
                for row in rows(of: report) {
                    text += CSVText.line(place + row)
                    rows += 1
                }
            }
            try file.write(text)
        }
    }

    /// The line with the names of the columns.
    static func beginning(of content: Content) -> [UInt8] { CSVText.line(imageColumns + columns(of: content)) }

    private static func columns(of content: Content) -> [String] {
        switch content {
        case .boxes:
            [
                "merged_id", "cluster_id", "label", "emoji", "x", "y", "width", "height", "score", "avg_confidence",
                "detection_count", "services",
            ]
        case .results: ["result_id", "service", "status", "processing_time", "result_created", "data"]
        case .enrichments: ["merged_id", "cluster_id", "service", "status", "data"]
        case .consensus:
            [
                "emoji", "votes", "evidence_weight", "final_score", "services", "validation",
            ]
        }
    }

    private func rows(of report: ImageReport) -> [[String]] {
        let findings = report.findings
        switch content {
        case .boxes:
            return findings.boxes.compactMap { stored in
                stored.box.map { box in
                    let bbox = box.bbox
                    return [
                        "\(stored.mergedID)", box.clusterID, box.label, box.emoji ?? "", "\(bbox.x)", "\(bbox.y)",
                        "\(bbox.width)", "\(bbox.height)", "\(box.score)", "\(box.averageConfidence)",
                        "\(box.detections.count)", box.contributingServices.joined(separator: " "),
                    ]
                }
            }
        case .results:
            return findings.results.map { result in
                [
                    "\(result.resultID)", result.service, result.status.rawValue, "\(result.processingTime)",
                    Timestamp.iso8601(result.created), result.data.text,
                ]
            }
        case .enrichments:
            return findings.enrichments.map { enrichment in
                let box = findings.boxes.first { $0.mergedID == enrichment.mergedID }?.box
                return [
                    "\(enrichment.mergedID)", box?.clusterID ?? "", enrichment.service, enrichment.status.rawValue,
                    enrichment.data.text,
                ]
            }
        case .consensus:
            return (report.consensus?["votes"]?["consensus"]?.arrayValue ?? []).map { entry in
                [
                    entry["emoji"]?.stringValue ?? "", entry["votes"]?.text ?? "",
                    entry["evidence_weight"]?.text ?? "", entry["final_score"]?.text ?? "",
                    list(entry["services"]), list(entry["validation"]),
                ]
            }
        }
    }

    private func list(_ names: JSON?) -> String {
        (names?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: " ")
    }
}

/// Comma-separated values.
enum CSVText {
    /// A record and its line break.
    static func line(_ fields: [String]) -> [UInt8] {
        Array((fields.map(field).joined(separator: ",") + "\n").utf8)
    }

    private static func field(_ text: String) -> String {
        let isPlain = !text.utf8.contains { [UInt8(ascii: "\""), UInt8(ascii: ","), 0x0A, 0x0D].contains($0) }
        return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
