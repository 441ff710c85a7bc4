import Foundation
import Model
import Pipeline

/// "person 0.97" as Pango markup. Nothing in the label counts as markup.
func labelMarkup(_ box: AnnotatedBox) -> String {
    let scalars = box.label.unicodeScalars
    var markup = ""
    // By scalars, since a Swift character may be `<` with an accent on it.
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
