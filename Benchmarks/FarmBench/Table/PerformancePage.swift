import Foundation

/// docs/performance.md: what stands between a part's markers is replaced by its figures, all else is kept.
struct PerformancePage {
    let url: URL

    /// - Throws: `BenchFault` if the page has no place for the part.
    func replace(_ part: Part, with figures: [Figure], measured: String) throws {
        let begin = "<!-- make bench: \(part.rawValue) -->"
        let end = "<!-- end -->"
        var page = try String(contentsOf: url, encoding: .utf8)
        guard let opening = page.range(of: begin),
            let closing = page.range(of: end, range: opening.upperBound..<page.endIndex)
        else { throw BenchFault("\(url.path) has no \(begin) … \(end)") }
        let lines =
            ["\(measured)\n", "| what | goal | figure | met |", "| --- | --- | --- | --- |"] + figures.map(\.row)
        page.replaceSubrange(
            opening.upperBound..<closing.lowerBound, with: "\n" + lines.joined(separator: "\n") + "\n")
        try page.write(to: url, atomically: true, encoding: .utf8)
    }
}
