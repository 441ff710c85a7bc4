import Foundation
import Model
import Operations

/// What speaks for an emoji, in words.
struct Evidence {
    let text: String

    /// - Parameter evidence: as the consensus has it (spec section 7).
    init(_ evidence: JSON?) {
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
    /// A number with three digits, or a text.
    var shown: String {
        switch self {
        case .double(let value)?: value.twoDigits
        case .int(let value)?: "\(value)"
        case .string(let text)?: text
        default: ""
        }
    }

    /// Texts with commas between them.
    var shownList: String { (self?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ", ") }
}

extension Double {
    /// `0.87`.
    var twoDigits: String { String(format: "%.2f", self) }

    /// As an attribute of SVG: at most two digits after the point, never an exponent; 0 for what is no number.
    var plainDigits: String { isFinite && abs(self) < 1e9 ? String(format: "%.2f", self) : "0" }
}
