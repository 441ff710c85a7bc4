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
                            title: "Acts", section: .audit, access: context.access, content: AuditPage(rows: rows).html)
                    )
                }
            ])
    }
}

/// Who has done what.
struct AuditPage {
    static let limit = 100

    let rows: [AuditRow]

    var html: HTML {
        guard let last = rows.last else { return "<h1>Acts</h1><p>Nobody has done anything here.</p>" }
        let older: HTML? =
            rows.count < AuditPage.limit ? nil : "<p><a href=\"audit?before=\(last.id)\">Older ones</a></p>"
        let cells = rows.map { row -> HTML in
            """
            <tr>\(HTML.cell("At", HTML.time(row.at)))\(HTML.cell("Who", "\(row.entry.who)"))\
            \(HTML.cell("Act", "\(row.entry.act)"))\(HTML.cell("Of what", "\(row.entry.filter.printable(upTo: 300))"))\
            \(HTML.cell("Count", HTML.count(row.entry.count), isNumber: true))</tr>
            """
        }
        return """
            <h1>Acts</h1>
            <table class="cards"><thead><tr><th scope="col">At</th><th scope="col">Who</th><th scope="col">Act</th>
            <th scope="col">Of what</th><th scope="col" class="number">Count</th></tr></thead><tbody>\(cells)</tbody></table>
            \(older)
            """
    }
}
