import Foundation
import Harmony
import Model
import Operations
import Pipeline

extension ImageReport {
    /// The report as a person reads it: the votes with their evidence, the boxes, their enrichments, and what failed.
    var text: String {
        var parts = [Terminal.bold("image \(image.id)  \(image.shownPlace ?? "")")]
        let votes = voteTable
        parts.append(votes.rows.isEmpty ? noVotes : votes.text)
        if let undecided = undecidedText { parts.append(undecided) }
        if let special = specialText { parts.append(special) }
        let boxes = boxTable
        if !boxes.rows.isEmpty { parts.append(boxes.text) }
        parts.append(resultTable.text)
        let failures = failureTable
        if !failures.rows.isEmpty { parts.append(failures.text) }
        return parts.joined(separator: "\n\n")
    }

    private var noVotes: String {
        consensus == nil ? "no consensus yet" : "no emoji has votes of enough services"
    }

    private static let undecidedLimit = 12

    /// `undecided: 🐱 (inception_v3)`: emoji with too few votes. nil if there are none.
    var undecidedText: String? {
        guard let consensus else { return nil }
        let all = undecided(findings.successes, in: consensus)
        guard !all.isEmpty else { return nil }
        let shown = all.prefix(ImageReport.undecidedLimit).map {
            "\($0.emoji) (\($0.services.joined(separator: ", ")))"
        }
        let rest = all.count - shown.count
        return Terminal.harmless(
            "undecided: " + shown.joined(separator: ", ") + (rest > 0 ? ", and \(rest) more" : ""))
    }

    /// One line for each emoji: who voted for it, and the evidence.
    var voteTable: Table {
        var table = Table([
            ("", .left), ("votes", .right), ("score", .right), ("services", .left), ("evidence", .left),
            ("confirmed by", .left),
        ])
        for entry in consensus?["votes"]?["consensus"]?.arrayValue ?? [] {
            table.add([
                entry["emoji"]?.stringValue ?? "", entry["votes"].shown, entry["final_score"].shown,
                entry["services"].shownList, EvidenceText(entry["evidence"]).text, entry["validation"].shownList,
            ])
        }
        return table
    }

    private var specialText: String? {
        let found = (consensus?["special"]?.objectValue ?? []).filter { $0.value["detected"]?.boolValue == true }
        guard !found.isEmpty else { return nil }
        return found.map { member in
            let content = member.value["content"]?.stringValue.map { ": \($0.prefix(200))" } ?? ""
            return Terminal.harmless(
                "\(member.value["emoji"]?.stringValue ?? "") \(member.key), confidence \(member.value["confidence"].shown)\(content)"
            )
        }.joined(separator: "\n")
    }

    private var boxTable: Table {
        var table = Table([
            ("box", .left), ("score", .right), ("confidence", .right), ("detectors", .left),
            ("x, y, width, height", .left),
            ("crop services", .left),
        ])
        let boxes = findings.boxes.compactMap { stored in stored.box.map { (stored: stored, box: $0) } }
        for (stored, box) in boxes.sorted(by: { $0.box.score > $1.box.score }) {
            let enrichments = findings.enrichments.filter { $0.mergedID == stored.mergedID }
                .sorted { $0.service < $1.service }
                .map { $0.status == .success ? $0.service : "\($0.service) (\($0.status.rawValue))" }
            table.add([
                "\(box.emoji ?? "") \(box.clusterID)", String(format: "%.3f", box.score),
                String(format: "%.3f", box.averageConfidence), box.contributingServices.joined(separator: ", "),
                String(format: "%.0f, %.0f, %.0f, %.0f", box.bbox.x, box.bbox.y, box.bbox.width, box.bbox.height),
                enrichments.joined(separator: ", "),
            ])
        }
        return table
    }

    /// Why boxes have no answer of a crop service.
    private var failureTable: Table {
        let labels = Dictionary(findings.boxes.map { ($0.mergedID, $0.box?.clusterID ?? "") }) { first, _ in first }
        var table = Table([("box", .left), ("failed", .left), ("why", .left)])
        for row in findings.enrichments where row.status == .error {
            let error = row.data["error"]
            table.add([
                labels[row.mergedID] ?? "", row.service,
                "\(error?["kind"]?.stringValue ?? ""): \(error?["message"]?.stringValue ?? "")",
            ])
        }
        return table
    }

    private var resultTable: Table {
        var table = Table([
            ("service", .left), ("status", .left), ("seconds", .right), ("at (UTC)", .left), ("", .left),
        ])
        for result in findings.results.sorted(by: { $0.service < $1.service }) {
            table.add([
                result.service, result.status.rawValue, String(format: "%.3f", result.processingTime),
                Timestamp.iso8601(result.created), result.data["error"]?["message"]?.stringValue ?? "",
            ])
        }
        return table
    }
}

extension Image {
    /// The place of the image, on one line.
    var shownPlace: String? { (path ?? url ?? filename).map { Terminal.harmless($0) } }
}
