import Foundation
import Harmony
import Model
import Operations
import Pipeline

extension TryReport {
    /// The report as a person reads it.
    var text: String {
        var parts = [answer.json.indentedText, summary]
        if !inspection.boxes.isEmpty { parts.append(boxTable.text) }
        if !inspection.dropped.isEmpty { parts.append(droppedTable.text) }
        if service.evidence == .none && inspection.bboxes > 0 {
            parts.append(
                "\(counted(inspection.bboxes, "bbox")) not merged: if \(service.name) detects objects, say "
                    + "\"evidence\": \"spatial\" in service_config.json")
        }
        return parts.joined(separator: "\n\n")
    }

    private var summary: String {
        let votes = inspection.votes.map { vote in
            vote.emoji + (vote.words.isEmpty ? "" : " (\(vote.words.joined(separator: ", ")))")
        }
        return [
            Terminal.bold("\(service.name) at \(service.address), \(String(format: "%.3f", answer.processingTime)) s"),
            "\(counted(answer.json["predictions"]?.arrayValue?.count ?? 0, "prediction")), \(counted(inspection.boxes.count, "box")) to merge",
            "votes: " + (votes.isEmpty ? "none" : votes.joined(separator: ", ")),
        ].joined(separator: "\n")
    }

    private var boxTable: Table {
        var table = Table([
            ("prediction", .right), ("label", .left), ("", .left), ("confidence", .right),
            ("x, y, width, height", .left),
        ])
        for box in inspection.boxes {
            let bbox = box.bbox
            table.add([
                "\(box.prediction + 1)", box.label, box.emoji ?? "", String(format: "%.3f", box.confidence),
                String(format: "%.1f, %.1f, %.1f, %.1f", bbox.x, bbox.y, bbox.width, bbox.height),
            ])
        }
        return table
    }

    private var droppedTable: Table {
        var table = Table([("prediction", .right), ("does not count", .left)])
        for dropped in inspection.dropped { table.add(["\(dropped.prediction + 1)", dropped.reason]) }
        return table
    }
}
