import Foundation
import Model
import Pipeline

/// "person 0.97", as Pango markup in which nothing of the label is markup.
func labelMarkup(_ box: AnnotatedBox) -> String {
    let scalars = box.label.unicodeScalars
    var markup = ""
    // By scalars: a character of Swift's may be `<` and an accent on it.
    for scalar in scalars.count > 60 ? scalars.prefix(59) + ["…"] : scalars.prefix(60) {
        switch scalar {
        case "&": markup += "&amp;"
        case "<": markup += "&lt;"
        case ">": markup += "&gt;"
        default: markup.unicodeScalars.append(scalar.isSteering ? " " : scalar)
        }
    }
    return markup + " " + String(format: "%.2f", box.score)
}
