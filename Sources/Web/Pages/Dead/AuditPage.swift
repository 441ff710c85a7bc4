import Hummingbird
import Operations
import Pipeline

extension Site {
    func addAudit(to router: Router<Context>) {
        let helm = helm
        router.answer(
            "/audit",
            [
                .get: { request, context in
                    let before = try request.query(["before"]).number("before", 1...Int.max)
                    let rows = try await helm.parts.store().auditPage(before: before, limit: AuditPage.limit)
                    return Response(
                        Page(
                            title: "Acts", section: .audit, access: context.access, made: .now,
                            content: AuditPage(rows: rows).html))
                }
            ])
    }
}

/// Who has done what.
struct AuditPage {
    static let limit = 100
    /// Rows of a page, in bytes: what was acted on may have long names.
    private static let bytes = 70_000

    let rows: [AuditRow]

    var html: HTML {
        guard !rows.isEmpty else { return "<h1>Acts</h1><p>Nobody has done anything here.</p>" }
        let (cells, next) = HTML.part(of: rows.count, upTo: AuditPage.bytes) { place in
            let row = rows[place]
            return """
                <tr>\(HTML.cell("At", HTML.time(row.at)))\(HTML.cell("Who", "\(row.entry.who.printable(upTo: 100))"))\
                \(HTML.cell("Act", "\(row.entry.act.printable(upTo: 100))"))\
                \(HTML.cell("Of what", "\(row.entry.filter.printable(upTo: 300))"))\
                \(HTML.cell("Count", HTML.count(row.entry.count), isNumber: true))</tr>
                """
        }
        let last = rows[(next ?? rows.count) - 1]
        let older: HTML? =
            next == nil && rows.count < AuditPage.limit
            ? nil : "<p><a href=\"audit?before=\(last.id)\">Older ones</a></p>"
        return """
            <h1>Acts</h1>
            <table class="cards"><thead><tr><th scope="col">At</th><th scope="col">Who</th><th scope="col">Act</th>
            <th scope="col">Of what</th><th scope="col" class="number">Count</th></tr></thead><tbody>\(cells)</tbody></table>
            \(older)
            """
    }
}
