import Foundation
import Model

/// What speaks for an emoji, in words.
package struct EvidenceText {
    /// One line.
    package let text: String

    /// - Parameter evidence: as the consensus has it (spec section 7).
    package init(_ evidence: JSON?) {
        var parts: [String] = []
        if let spatial = evidence?["spatial"], !spatial.isNull {
            parts.append(
                counted(spatial["instance_count"]?.integerValue ?? 0, "box") + " by up to "
                    + counted(spatial["detection_count"]?.integerValue ?? 0, "detector")
                    + ", confidence \(spatial["avg_confidence"].shown)")
        }
        if let semantic = evidence?["semantic"], !semantic.isNull {
            let words = semantic["words"].shownList
            parts.append("captioned by \(semantic["sources"].shownList)" + (words.isEmpty ? "" : " (\(words))"))
        }
        if let classes = evidence?["classification"], !classes.isNull {
            parts.append("classified by \(classes["sources"].shownList)")
        }
        let special = (evidence?["specialized"]).shownList
        if !special.isEmpty { parts.append(special) }
        text = parts.joined(separator: "; ")
    }
}

extension JSON? {
    /// A number or text, for people.
    package var shown: String {
        switch self {
        case .int(let value)?: String(value)
        case .double(let value)?: Int(exactly: value).map(String.init) ?? String(format: "%.3g", value)
        case .string(let text)?: text
        default: ""
        }
    }

    /// Texts with commas between them.
    package var shownList: String { (self?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ", ") }
}
