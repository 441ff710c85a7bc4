import Foundation
import Hummingbird
import Model
import Operations
import Pipeline

extension Site {
    /// The pages that one image's page leads to: each table in full, and each fused box.
    func addImageParts(to router: Router<Context>) {
        let gallery = gallery
        router.answer(
            "/images/:id/tables/:table",
            [
                .get: { request, context in
                    let start = try request.query(["from"]).number("from", 0...Int.max) ?? 0
                    let detail = try await gallery.detail(context)
                    let tables = ImageTables(detail: detail, size: await gallery.size(of: detail), place: "../../")
                    let name = context.parameters.get("table") ?? ""
                    guard let table = tables[name] else {
                        throw HTTPError(.notFound, message: "there is no such table")
                    }
                    return Response(
                        Page(
                            title: "\(table.title) of image \(detail.report.image.id)", section: .images, depth: 3,
                            access: context.access, made: .now,
                            content: ImageTablePage(image: detail.report.image, table: table, start: start).html))
                }
            ])
        router.answer(
            "/images/:id/fused/:box",
            [
                .get: { request, context in
                    _ = try request.query([])
                    let detail = try await gallery.detail(context)
                    let mergedID = try context.number("box")
                    let page = FusedBoxPage(
                        tables: ImageTables(detail: detail, size: await gallery.size(of: detail), place: "../../"),
                        mergedID: mergedID)
                    guard let content = page.html else { throw Site.noBox(mergedID, detail.report.image.id) }
                    return Response(
                        Page(
                            title: "Box \(mergedID)", section: .images, depth: 3, access: context.access, made: .now,
                            content: content))
                }
            ])
        router.answer(
            "/images/:id/fused/:box/:service",
            [
                .get: { request, context in
                    _ = try request.query([])
                    let detail = try await gallery.detail(context)
                    let (mergedID, service) = (try context.number("box"), context.parameters.get("service") ?? "")
                    let row = detail.report.findings.enrichments.first {
                        $0.mergedID == mergedID && $0.service == service
                    }
                    guard let row else { throw Site.noBox(mergedID, detail.report.image.id) }
                    return Response(row.data.text, "application/json")
                }
            ])
    }

    private static func noBox(_ mergedID: Int, _ id: ImageID) -> HTTPError {
        HTTPError(.notFound, message: "image \(id) has no such answer about a box \(mergedID)")
    }
}

/// One table of an image, from a row on.
struct ImageTablePage {
    /// Rows of a page, in bytes.
    private static let bytes = 50_000

    let image: Image
    let table: ImageTable
    let start: Int

    var html: HTML {
        """
        <h1>\(image.title)</h1>
        <p><a href="../../\(image.id)">Image \(image.id)</a></p>
        \(table.html(from: start, upTo: ImageTablePage.bytes, link: table.name))
        """
    }
}

/// A fused box: its crop, what crop services have found there, and what they have answered.
struct FusedBoxPage {
    /// Bytes of a raw answer that are folded.
    private static let rawLimit = 3000

    let tables: ImageTables
    let mergedID: Int

    /// nil where the image has no such box.
    var html: HTML? {
        let report = tables.detail.report
        guard let box = report.findings.boxes.first(where: { $0.mergedID == mergedID })?.box else { return nil }
        let rows = report.findings.enrichments.filter { $0.mergedID == mergedID }.sorted { $0.service < $1.service }
        let findings = CropFindings(rows)
        let colours = findings.colours.map(\.text).joined(separator: ", ")
        let unseen = tables.unseen(mergedID).printable(upTo: 500)
        let palette: HTML? = colours.isEmpty ? nil : "<h2>Colours</h2>\(findings.swatches)<p>\(colours)</p>"
        let absent: HTML? = unseen.isEmpty ? nil : "<p>Not seen by \(unseen)</p>"
        return """
            <h1>\((box.emoji ?? "").printable(upTo: 40)) \(box.clusterID.printable(upTo: 100))</h1>
            <p><a href="../../\(report.image.id)">Image \(report.image.id)</a></p>
            \(tables.crop(box, findings, side: 360))
            <p>Confidence \(box.averageConfidence.twoDigits), seen by \(box.sight.printable(upTo: 500))</p>\(absent)
            <p>\(findings.summary)</p>
            \(palette)
            <h2>Answers</h2>
            \(rows.isEmpty ? HTML("<p>No crop service has answered yet.</p>") : HTML(rows.map(answer)))
            """
    }

    private func answer(_ row: StoredEnrichment) -> HTML {
        """
        <details><summary class="\(row.status == .success ? "quiet" : "bad")">\(row.service)</summary>\
        \(ImageTables.raw(row.data, "\(mergedID)/\(row.service.queryEncoded)", limit: FusedBoxPage.rawLimit))</details>
        """
    }
}
