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
                entry["emoji"]?.stringValue ?? "", entry["votes"].text, entry["final_score"].text,
                entry["services"].list, evidence(entry["evidence"]), entry["validation"].list,
            ])
        }
        return table
    }

    private func evidence(_ evidence: JSON?) -> String {
        var parts: [String] = []
        if let spatial = evidence?["spatial"], !spatial.isNull {
            parts.append(
                counted(spatial["instance_count"]?.integerValue ?? 0, "box") + " by up to "
                    + counted(spatial["detection_count"]?.integerValue ?? 0, "detector")
                    + ", confidence \(spatial["avg_confidence"].text)"
            )
        }
        if let semantic = evidence?["semantic"], !semantic.isNull {
            let words = semantic["words"].list
            parts.append("captioned by \(semantic["sources"].list)" + (words.isEmpty ? "" : " (\(words))"))
        }
        if let classes = evidence?["classification"], !classes.isNull {
            parts.append("classified by \(classes["sources"].list)")
        }
        if let special = evidence?["specialized"], !special.list.isEmpty { parts.append(special.list) }
        return parts.joined(separator: "; ")
    }

    private var specialText: String? {
        let found = (consensus?["special"]?.objectValue ?? []).filter { $0.value["detected"]?.boolValue == true }
        guard !found.isEmpty else { return nil }
        return found.map { member in
            let content = member.value["content"]?.stringValue.map { ": \($0.prefix(200))" } ?? ""
            return Terminal.harmless(
                "\(member.value["emoji"]?.stringValue ?? "") \(member.key), confidence \(member.value["confidence"].text)\(content)"
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

extension JSON? {
    /// A number or text for a table cell.
    fileprivate var text: String {
        switch self {
        case .int(let value)?: String(value)
        case .double(let value)?: Int(exactly: value).map(String.init) ?? String(format: "%.3g", value)
        case .string(let text)?: text
        default: ""
        }
    }

    fileprivate var list: String { self?.list ?? "" }
}

extension JSON {
    fileprivate var list: String { (arrayValue ?? []).compactMap(\.stringValue).joined(separator: ", ") }
}
