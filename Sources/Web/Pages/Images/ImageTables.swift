import Foundation
import Harmony
import Model
import Operations
import Pictures
import Pipeline

/// The tables of what is known of an image.
struct ImageTables {
    /// Bytes of a raw answer that are folded into its line. The whole answer has an address of its own.
    private static let rawLimit = 300

    let detail: ImageDetail
    /// Of the photo; or why it cannot be shown.
    let size: Result<ImagePageContent.Size, PictureFault>
    /// From the page to the folder of the images' pages.
    var place = ""

    private var image: Image { detail.report.image }

    /// The one of a name; nil where there is none.
    subscript(name: String) -> ImageTable? { [votes, fused, boxes, answers, history].first { $0.name == name } }

    // MARK: Votes

    var votes: ImageTable {
        let consensus = detail.report.consensus
        let entries = consensus?["votes"]?["consensus"]?.arrayValue ?? []
        func short(_ text: String) -> String { text.printable(upTo: 200) }
        return ImageTable(
            name: "votes", title: "Votes",
            head: """
                <th scope="col">Emoji</th><th scope="col" class="number">Votes</th>
                <th scope="col" class="number">Score</th><th scope="col">Services</th><th scope="col">Evidence</th>
                <th scope="col">Confirmed by</th>
                """,
            count: entries.count,
            row: { place in
                let entry = entries[place]
                return """
                    <tr><th scope="row" class="emoji">\((entry["emoji"]?.stringValue ?? "").printable(upTo: 40))</th>
                    \(HTML.cell("Votes", "\(entry["votes"]?.integerValue ?? 0)", isNumber: true))
                    \(HTML.cell("Score", "\(entry["final_score"].shown.printable(upTo: 40))", isNumber: true))
                    \(HTML.cell("Services", "\(short(entry["services"].shownList))"))
                    \(HTML.cell("Evidence", "\(short(EvidenceText(entry["evidence"]).text))"))
                    \(HTML.cell("Confirmed by", "\(short(entry["validation"].shownList))"))</tr>
                    """
            },
            nothing: consensus == nil
                ? "<p>There is no consensus yet.</p>" : "<p>No emoji has votes of enough services.</p>")
    }

    // MARK: Boxes

    var fused: ImageTable {
        let boxes = detail.report.findings.boxes.compactMap { stored in stored.box.map { (stored.mergedID, $0) } }
            .sorted { $0.1.score > $1.1.score }
        return ImageTable(
            name: "fused", title: "Fused boxes",
            head: """
                <th scope="col">Box</th><th scope="col">Crop</th><th scope="col" class="number">Confidence</th>
                <th scope="col">Seen by</th><th scope="col">Not seen by</th><th scope="col">What crop services say</th>
                """, count: boxes.count, row: { row(boxes[$0].0, boxes[$0].1) })
    }

    private func row(_ mergedID: Int, _ box: MergedBox) -> HTML {
        let link = "\(place)\(image.id)/fused/\(mergedID)"
        let findings = CropFindings(detail.report.findings.enrichments.filter { $0.mergedID == mergedID })
        return """
            <tr><th scope="row">\((box.emoji ?? "").printable(upTo: 40)) \
            <a href="\(attribute: link)">\(box.clusterID.printable(upTo: 60))</a></th>
            \(HTML.cell("Crop", crop(box, findings, side: 120)))
            \(HTML.cell("Confidence", "\(box.averageConfidence.twoDigits)", isNumber: true))
            \(HTML.cell("Seen by", "\(box.sight.printable(upTo: 200))"))
            \(HTML.cell("Not seen by", "\(unseen(mergedID).printable(upTo: 200))"))
            \(HTML.cell("What crop services say", "\(findings.swatches)\(findings.summary)"))</tr>
            """
    }

    /// Who has not seen a fused box, and what of theirs comes nearest.
    func unseen(_ mergedID: Int) -> String {
        let absences = detail.mergedIDs.firstIndex(of: mergedID).map { detail.explanation.absences(at: $0) } ?? []
        let texts = absences.map { absence -> String in
            guard let nearest = absence.nearest else { return absence.service }
            let prediction = detail.explanation.predictions[nearest]
            return absence.service + " (nearest: \(prediction.label ?? "?"), IoU " + absence.iou.twoDigits + ")"
        }
        return texts.joined(separator: ", ")
    }

    /// What a box shows; nothing where the photo cannot be shown.
    /// - Parameter side: the longer one, in pixels of the screen.
    func crop(_ box: MergedBox, _ findings: CropFindings, side: Double) -> HTML {
        guard case .success(let size) = size else { return .none }
        return CropView(photo: "\(place)\(image.id)/photo", size: size, box: box.bbox, findings: findings, side: side)
            .html
    }

    var boxes: ImageTable {
        let predictions = detail.explanation.predictions
        return ImageTable(
            name: "boxes", title: "Boxes of the detectors",
            head: """
                <th scope="col">Detector</th><th scope="col">Label</th><th scope="col" class="number">Confidence</th>
                <th scope="col">What became of it</th>
                """,
            count: predictions.count,
            row: { place in
                let prediction = predictions[place]
                return """
                    <tr data-prediction="\(place)"\(prediction.confidenceAttribute)>\
                    \(HTML.cell("Detector", "\(prediction.service.printable(upTo: 60))"))\
                    \(HTML.cell("Label", "\((prediction.label ?? "?").printable(upTo: 100))"))\
                    \(HTML.cell("Confidence", "\(prediction.confidence?.twoDigits ?? "–")", isNumber: true))\
                    \(HTML.cell("What became of it", "\(detail.explanation.fate(of: prediction).printable(upTo: 300))"))</tr>
                    """
            })
    }

    // MARK: Answers

    var answers: ImageTable {
        let results = detail.report.findings.results.sorted { $0.service < $1.service }
        return ImageTable(
            name: "answers", title: "Answers", count: results.count,
            row: { place in
                let result = results[place]
                let tone = result.status == .success ? "good" : "bad"
                return """
                    <details><summary>\(result.service.printable(upTo: 60)) \
                    <span class="\(tone)">\(result.status.rawValue)</span> \
                    <span class="quiet">\(String(format: "%.2f s", result.processingTime)), \(HTML.time(result.created))</span>\
                    </summary>\(ImageTables.raw(result.data, "\(self.place)\(image.id)/results/\(result.resultID)"))</details>
                    """
            }, nothing: "<p>No service has answered yet.</p>")
    }

    /// The beginning of a raw answer, and where all of it is.
    static func raw(_ data: JSON, _ link: String, limit: Int = ImageTables.rawLimit) -> HTML {
        let text = data.text
        let isCut = text.utf8.count > limit
        return """
            <pre>\(text.prefix(limit))\(isCut ? "…" : "")</pre><a href="\(attribute: link)">\(isCut ? "All of it" : "As JSON")</a>
            """
    }

    var history: ImageTable {
        ImageTable(
            name: "history", title: detail.hasOlderHistory ? "History (older rows are not shown)" : "History",
            head: """
                <th scope="col">At</th><th scope="col">Service</th><th scope="col">Status</th>
                <th scope="col" class="number">Seconds</th><th scope="col">Worker</th><th scope="col">Error</th>
                """,
            count: detail.history.count,
            row: { place in
                let row = detail.history[place]
                return """
                    <tr>\(HTML.cell("At", HTML.time(row.created)))\(HTML.cell("Service", "\(row.service.printable(upTo: 60))"))\
                    \(HTML.cell("Status", "\(row.status.rawValue)"))\
                    \(HTML.cell("Seconds", "\(String(format: "%.2f", row.processingTime))", isNumber: true))\
                    \(HTML.cell("Worker", "\(row.workerID.printable(upTo: 100))"))\
                    \(HTML.cell("Error", "\((row.error ?? "").printable(upTo: 300))"))</tr>
                    """
            })
    }
}

extension Image {
    /// What it is called for people.
    var title: String { (filename ?? path ?? url ?? "Image \(id)").printable(upTo: 300) }
}
