/// Rows of which an image may have any number. Its page shows as many as it has room for, and leads to a page of all of
/// them.
struct ImageTable {
    /// In the address of its page.
    let name: String
    let title: String
    /// The cells of its head; nil for rows that are no table.
    var head: HTML?
    let count: Int
    /// The row at a place.
    let row: (Int) -> HTML
    /// What stands in place of the rows where there are none; nil: not even a heading.
    var nothing: HTML?

    /// The heading and the rows.
    /// - Parameters:
    ///   - start: the first row.
    ///   - bytes: of all rows together.
    ///   - link: leads to the page of this table.
    func html(from start: Int = 0, upTo bytes: Int, link: String) -> HTML {
        let (rows, next) = HTML.part(of: count, from: start, upTo: bytes, piece: row)
        guard !rows.isEmpty else { return nothing.map { "<h2>\(title)</h2>\($0)" } ?? .none }
        let more: HTML? = next.map {
            "<p><a href=\"\(attribute: link)?from=\($0)\">\(title): \(HTML.count(count - $0)) more</a></p>"
        }
        guard let head else { return "<h2>\(title)</h2>\(rows)\(more)" }
        return """
            <h2>\(title)</h2>
            <table class="cards"><thead><tr>\(head)</tr></thead><tbody>\(rows)</tbody></table>\(more)
            """
    }
}
