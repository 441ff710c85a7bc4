import Foundation
import Harmony
import Model
import Operations
import Pictures
import Pipeline

/// All that is known of one image.
struct ImagePageContent {
    /// The size of the upright photo, in pixels.
    struct Size {
        var width: Int
        var height: Int

        init(_ size: (width: Int, height: Int)) { (width, height) = size }
    }

    /// How many bytes of a raw answer are shown. The whole answer has a page of its own.
    private static let rawLimit = 3000
    /// The longer side of a crop, in pixels of the screen.
    private static let cropSide = 120.0

    let detail: ImageDetail
    /// What the reader was looking for, which the pages beside this one are found by, too.
    let search: ImageSearchFields
    let neighbours: ImageNeighbours
    /// Or why the photo cannot be shown.
    let size: Result<Size, PictureFault>
    /// What can be run again; empty where the reader may not.
    let services: [String]

    private var image: Image { detail.report.image }

    var html: HTML {
        """
        <h1>\(image.filename ?? image.path ?? image.url ?? "Image \(image.id)")</h1>
        \(facts)
        \(turning)
        \(photo)
        \(votes)
        \(boxes)
        \(predictions)
        \(answers)
        \(again)
        \(history)
        """
    }

    private var facts: HTML {
        let place = image.path ?? image.url
        let group: HTML? = image.group.map {
            " · group <a href=\"../images?group=\(attribute: $0.queryEncoded)\">\($0)</a>"
        }
        let failed: HTML? =
            detail.failed.isEmpty
            ? nil : " · <span class=\"bad\">failed: \(detail.failed.joined(separator: ", "))</span>"
        let missing: HTML? =
            detail.missing.isEmpty
            ? nil : " · <span class=\"warn\">missing: \(detail.missing.joined(separator: ", "))</span>"
        return """
            <p class="quiet">Image \(image.id) · \(detail.state.name)\(group)\(failed)\(missing)\
            \(place.map { " · \($0)" as HTML })</p>
            """
    }

    private var turning: HTML {
        func link(_ id: ImageID?, _ text: String, _ relation: String) -> HTML? {
            id.map { "<a rel=\"\(relation)\" href=\"\($0)\(attribute: search.link())\">\(text)</a> " }
        }
        return """
            <nav class="turning" aria-label="Images beside this one">\(link(neighbours.previous, "← Previous", "prev"))\
            <a href="../images\(attribute: search.link())">All that match</a> \
            \(link(neighbours.next, "Next →", "next"))</nav>
            """
    }

    // MARK: The photo

    private var photo: HTML {
        switch size {
        // Who looks for what detectors disagree on wants to see what each of them saw.
        case .success(let size):
            PhotoView(detail: detail, size: size, showsDetectors: search.query.disagrees).html
        case .failure(let fault): "<p class=\"fault\">The photo cannot be shown: \(fault.toldToStrangers)</p>"
        }
    }

    // MARK: Votes

    private var votes: HTML {
        guard let consensus = detail.report.consensus else { return "<h2>Votes</h2><p>There is no consensus yet.</p>" }
        let rows = (consensus["votes"]?["consensus"]?.arrayValue ?? []).map { entry -> HTML in
            """
            <tr><th scope="row" class="emoji">\(entry["emoji"]?.stringValue ?? "")</th>
            \(HTML.cell("Votes", "\(entry["votes"]?.integerValue ?? 0)", isNumber: true))
            \(HTML.cell("Score", "\(entry["final_score"].shown)", isNumber: true))
            \(HTML.cell("Services", "\(entry["services"].shownList)"))
            \(HTML.cell("Evidence", "\(EvidenceText(entry["evidence"]).text)"))
            \(HTML.cell("Confirmed by", "\(entry["validation"].shownList)"))</tr>
            """
        }
        let table: HTML = """
            <table class="cards"><thead><tr><th scope="col">Emoji</th><th scope="col" class="number">Votes</th>
            <th scope="col" class="number">Score</th><th scope="col">Services</th><th scope="col">Evidence</th>
            <th scope="col">Confirmed by</th></tr></thead><tbody>\(rows)</tbody></table>
            """
        let shown = detail.undecided.prefix(40).map { "\($0.emoji) (\($0.services.joined(separator: ", ")))" }
        let undecided: HTML? =
            shown.isEmpty
            ? nil : "<p>Undecided, since too few services named them: \(shown.joined(separator: ", "))</p>"
        return "<h2>Votes</h2>\(rows.isEmpty ? "<p>No emoji has votes of enough services.</p>" : table)\(undecided)"
    }

    // MARK: Boxes

    private var boxes: HTML {
        guard !detail.report.findings.boxes.isEmpty else { return .none }
        let rows = detail.report.findings.boxes.compactMap { stored in stored.box.map { (stored.mergedID, $0) } }
            .sorted { $0.1.score > $1.1.score }.map { row($0, $1) }
        return """
            <h2>Fused boxes</h2>
            <table class="cards"><thead><tr><th scope="col">Box</th><th scope="col">Crop</th>
            <th scope="col" class="number">Confidence</th><th scope="col">Seen by</th><th scope="col">Not seen by</th>
            <th scope="col">What crop services say</th></tr></thead><tbody>\(rows)</tbody></table>
            """
    }

    private func row(_ mergedID: Int, _ box: MergedBox) -> HTML {
        let place = detail.mergedIDs.firstIndex(of: mergedID)
        let absences = place.map { detail.explanation.absences(at: $0) } ?? []
        let unseen = absences.map { absence -> String in
            guard let nearest = absence.nearest else { return absence.service }
            let prediction = detail.explanation.predictions[nearest]
            return absence.service + " (nearest: \(prediction.label ?? "?"), IoU " + absence.iou.twoDigits + ")"
        }
        let seen = box.detections.map { "\($0.service) \($0.confidence.twoDigits)" }
        return """
            <tr><th scope="row">\(box.emoji ?? "") \(box.clusterID)</th>
            \(HTML.cell("Crop", crop(box.bbox)))
            \(HTML.cell("Confidence", "\(box.averageConfidence.twoDigits)", isNumber: true))
            \(HTML.cell("Seen by", "\(seen.joined(separator: ", "))"))
            \(HTML.cell("Not seen by", "\(unseen.joined(separator: ", "))"))
            \(HTML.cell("What crop services say", HTML(enrichments(mergedID))))</tr>
            """
    }

    private func crop(_ box: Box) -> HTML {
        guard case .success(let size) = size, box.width > 0, box.height > 0 else { return .none }
        // Of the box's own shape: beside it lies what is not in the box.
        let scale = ImagePageContent.cropSide / max(box.width, box.height)
        return """
            <svg class="crop" width="\((box.width * scale).plainDigits)" height="\((box.height * scale).plainDigits)" \
            viewBox="\(box.x.plainDigits) \(box.y.plainDigits) \(box.width.plainDigits) \(box.height.plainDigits)" \
            preserveAspectRatio="none" role="img" aria-label="crop"><image href="\(image.id)/photo" \
            width="\(size.width)" height="\(size.height)" preserveAspectRatio="none"/></svg>
            """
    }

    private func enrichments(_ mergedID: Int) -> [HTML] {
        detail.report.findings.enrichments.filter { $0.mergedID == mergedID }.sorted { $0.service < $1.service }.map {
            let text = $0.data.text
            let tone = $0.status == .success ? "quiet" : "bad"
            return """
                <details><summary class="\(tone)">\($0.service)</summary><pre>\(text.prefix(ImagePageContent.rawLimit))</pre></details>
                """
        }
    }

    // MARK: What detectors saw

    private var predictions: HTML {
        let predictions = detail.explanation.predictions.prefix(400)
        guard !predictions.isEmpty else { return .none }
        let rows = predictions.enumerated().map { index, prediction -> HTML in
            """
            <tr data-prediction="\(index)"\(prediction.confidenceAttribute)>\
            \(HTML.cell("Detector", "\(prediction.service)"))\(HTML.cell("Label", "\(prediction.label ?? "?")"))\
            \(HTML.cell("Confidence", "\(prediction.confidence?.twoDigits ?? "–")", isNumber: true))\
            \(HTML.cell("What became of it", "\(detail.explanation.fate(of: prediction))"))</tr>
            """
        }
        return """
            <h2>Boxes of the detectors</h2>
            <table class="cards"><thead><tr><th scope="col">Detector</th><th scope="col">Label</th>
            <th scope="col" class="number">Confidence</th><th scope="col">What became of it</th></tr></thead>
            <tbody>\(rows)</tbody></table>
            """
    }

    // MARK: Answers

    private var answers: HTML {
        let results = detail.report.findings.results.sorted { $0.service < $1.service }
        guard !results.isEmpty else { return "<h2>Answers</h2><p>No service has answered yet.</p>" }
        let items = results.map { result -> HTML in
            let text = result.data.text
            let isCut = text.utf8.count > ImagePageContent.rawLimit
            let whole: HTML? =
                isCut ? "<a href=\"\(image.id)/results/\(result.resultID)\">All of it</a>" : nil
            let tone = result.status == .success ? "good" : "bad"
            return """
                <details><summary>\(result.service) <span class="\(tone)">\(result.status.rawValue)</span> \
                <span class="quiet">\(String(format: "%.2f s", result.processingTime)), \(HTML.time(result.created))</span>\
                </summary><pre>\(text.prefix(ImagePageContent.rawLimit))\(isCut ? "…" : "")</pre>\(whole)</details>
                """
        }
        return "<h2>Answers</h2>\(items)"
    }

    /// Each form has a key of its own, so that one that is sent twice asks once.
    private var again: HTML {
        guard !services.isEmpty else { return .none }
        let kinds = [
            ("missing", "missing ones"), ("failed", "failed ones"), ("empty", "those that found nothing"),
            ("all", "all"),
        ]
        func form(_ content: HTML) -> HTML {
            """
            <form class="inline" method="post" action="\(image.id)/rerun\(attribute: search.link())">\
            <input type="hidden" name="key" value="\(UUID().uuidString)">\(content)</form>
            """
        }
        let options = services.map { "<option>\($0)</option>" as HTML }
        return """
            <h2>Ask services again</h2>
            <p>\(kinds.map { form("<button name=\"what\" value=\"\($0.0)\">\($0.1)</button> ") })
            \(form("<label class=\"box\">or <select name=\"service\">\(options)</select></label> <button>Ask it</button>"))</p>
            """
    }

    private var history: HTML {
        let rows = detail.history.map { row -> HTML in
            """
            <tr>\(HTML.cell("At", HTML.time(row.created)))\(HTML.cell("Service", "\(row.service)"))\
            \(HTML.cell("Status", "\(row.status.rawValue)"))\
            \(HTML.cell("Seconds", "\(String(format: "%.2f", row.processingTime))", isNumber: true))\
            \(HTML.cell("Worker", "\(row.workerID)"))\(HTML.cell("Error", "\((row.error ?? "").printable(upTo: 300))"))</tr>
            """
        }
        guard !rows.isEmpty else { return .none }
        let older: HTML? = detail.hasOlderHistory ? "<p class=\"quiet\">Older rows are not shown.</p>" : nil
        return """
            <h2>History</h2>
            <details><summary>\(rows.count) results</summary><table class="cards"><thead><tr><th scope="col">At</th>
            <th scope="col">Service</th><th scope="col">Status</th><th scope="col" class="number">Seconds</th>
            <th scope="col">Worker</th><th scope="col">Error</th></tr></thead><tbody>\(rows)</tbody></table>\(older)</details>
            """
    }
}
