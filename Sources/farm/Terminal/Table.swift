/// A table for people. Its columns are aligned by their widths on a screen.
struct Table {
    enum Alignment { case left, right }

    var columns: [(title: String, alignment: Alignment)]
    var rows: [[String]] = []
    /// The widths of the columns that have been printed already.
    private var streamed: [Int] = []

    init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

    /// Adds a row. Characters that would break it or control the terminal are escaped.
    mutating func add(_ cells: [String]) { rows.append(cells.map { Terminal.harmless($0) }) }

    var text: String {
        let widths = widths(rows)
        return ([titleLine(widths)] + rows.map { line($0, widths) }).joined(separator: "\n")
    }

    /// The next rows of a table that is printed while it is made, below the titles. Columns may grow, and never shrink.
    mutating func next(_ rows: [[String]]) -> String {
        let isFirst = streamed.isEmpty
        streamed = zip(widths(rows), isFirst ? columns.map { _ in 0 } : streamed).map(max)
        return ((isFirst ? [titleLine(streamed)] : []) + rows.map { line($0, streamed) }).joined(separator: "\n")
    }

    private var titles: [String] { columns.map(\.title) }

    private func titleLine(_ widths: [Int]) -> String { Terminal.bold(line(titles, widths)) }

    private func widths(_ rows: [[String]]) -> [Int] {
        columns.indices.map { column in
            ([titles] + rows).map { Table.width($0.indices.contains(column) ? $0[column] : "") }.max() ?? 0
        }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for (column, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: max(0, widths[column] - Table.width(cell)))
            let isLast = column == cells.count - 1
            text += columns[column].alignment == .right ? padding + cell : cell + (isLast ? "" : padding)
            if !isLast { text += "  " }
        }
        return text
    }

    /// How many columns a text takes. Emoji and East Asian wide characters take two, joiners and selectors none.
    static func width(_ text: String) -> Int {
        Terminal.unstyled(text).reduce(0) { width, character in
            guard let first = character.unicodeScalars.first else { return width }
            let isWide =
                first.properties.isEmojiPresentation || character.unicodeScalars.contains { $0.value == 0xFE0F }
                || (0x1100...0x115F).contains(first.value) || (0x2E80...0xA4CF).contains(first.value)
                || (0xAC00...0xD7A3).contains(first.value) || (0xF900...0xFAFF).contains(first.value)
                || (0xFF00...0xFF60).contains(first.value) || (0x1F300...0x1FAFF).contains(first.value)
            return width + (isWide ? 2 : 1)
        }
    }
}
