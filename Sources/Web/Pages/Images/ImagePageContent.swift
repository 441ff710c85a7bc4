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

    let detail: ImageDetail
    /// What the reader was looking for, which the pages beside this one are found by, too.
    let search: ImageSearchFields
    let neighbours: ImageNeighbours
    /// Or why the photo cannot be shown.
    let size: Result<Size, PictureFault>
    /// What can be run again; empty where the reader may not.
    let services: [String]

    private var image: Image { detail.report.image }

    private var tables: ImageTables { ImageTables(detail: detail, size: size) }

    var html: HTML {
        let tables = tables
        return """
            <h1>\(image.title)</h1>
            \(facts)
            \(turning)
            \(photo)
            \(table(tables.votes, upTo: ImagePageContent.voteBytes))\(undecided)
            \(table(tables.fused, upTo: ImagePageContent.fusedBytes))
            \(table(tables.boxes, upTo: ImagePageContent.boxBytes))
            \(table(tables.answers, upTo: ImagePageContent.answerBytes))
            \(again)
            \(history)
            """
    }

    private var facts: HTML {
        let place = (image.path ?? image.url)?.printable(upTo: 500)
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
            <p class="quiet">Image \(image.id) · \(detail.state.name)\(group)\(failed)\(missing)\(failedCrops)\
            \(place.map { " · \($0)" as HTML })</p>
            """
    }

    /// Filters and the state are about the whole image: that a crop service has failed is told here only.
    private var failedCrops: HTML? {
        let failed = detail.report.findings.enrichments.filter { $0.status == .error }
        guard !failed.isEmpty else { return nil }
        let services = Dictionary(grouping: failed, by: \.service).sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.count)" }
        return " · <span class=\"bad\">failed crops: \(services.joined(separator: ", "))</span>"
    }

    private var turning: HTML {
        func link(_ id: ImageID?, _ text: String, _ relation: String) -> HTML? {
            id.map { "<a rel=\"\(relation)\" href=\"\($0)\(attribute: search.link())\">\(text)</a> " }
        }
        let isUnknown = neighbours.isCutShort && (neighbours.previous == nil || neighbours.next == nil)
        let here = neighbours.next == nil ? ImageCursor(after: image.id) : ImageCursor(before: image.id)
        let cut: HTML? =
            isUnknown
            ? """
            <span class="warn">So many images were looked at that the search for the one beside this one was given up. \
            <a href="../images\(attribute: search.link(at: here))">Go on from here</a></span>
            """ : nil
        return """
            <nav class="turning" aria-label="Images beside this one">\(link(neighbours.previous, "← Previous", "prev"))\
            <a href="../images\(attribute: search.link())">All that match</a> \
            \(link(neighbours.next, "Next →", "next"))\(cut)</nav>
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

    // MARK: Tables

    /// Rows of a table that stand on this page, in bytes: all of them together leave room for the photo's boxes.
    private static let (voteBytes, fusedBytes, boxBytes, answerBytes, historyBytes) = (6000, 16_000, 10_000, 8000, 4000)

    private func table(_ table: ImageTable, upTo bytes: Int) -> HTML {
        table.html(upTo: bytes, link: "\(image.id)/tables/\(table.name)")
    }

    private var undecided: HTML? {
        guard !detail.undecided.isEmpty else { return nil }
        let shown = detail.undecided.prefix(40).map { "\($0.emoji) (\($0.services.joined(separator: ", ")))" }
        let text = shown.joined(separator: ", ").printable(upTo: 1000)
        return "<p>Undecided, since too few services named them: \(text)</p>"
    }

    private var history: HTML {
        let table = tables.history
        guard table.count > 0 else { return .none }
        let rows = self.table(table, upTo: ImagePageContent.historyBytes)
        return "<details><summary>History: \(counted(table.count, "result"))</summary>\(rows)</details>"
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
}
