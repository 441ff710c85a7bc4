import Foundation

/// "person 0.97", as Pango markup in which nothing of the label is markup.
func labelMarkup(_ box: AnnotatedBox) -> String {
    let printable = box.label.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) }
    let short = printable.count > 60 ? String(printable.prefix(59)) + "…" : String(printable)
    let text = "\(short) \(String(format: "%.2f", box.score))"
    return
        text
        .replacingOccurrences(of: "&", with: "&amp;")
        .replacingOccurrences(of: "<", with: "&lt;")
        .replacingOccurrences(of: ">", with: "&gt;")
}
