import Foundation
import Model
import Operations

/// What crop services have found in a box. It is what somebody else has sent: numbers may be any, and lists of any
/// length.
struct CropFindings {
    /// A colour of the palette.
    struct Colour: Equatable {
        /// `#aa5500`.
        var hex: String
        /// How much of the crop has it, 0…1; nil where that was not told.
        var share: Double?
    }

    private let enrichments: [StoredEnrichment]

    /// - Parameter enrichments: of this box.
    init(_ enrichments: [StoredEnrichment]) { self.enrichments = enrichments.sorted { $0.service < $1.service } }

    /// The predictions of a service's good answers.
    func predictions(of service: String) -> [JSON] {
        enrichments.filter { $0.service == service && $0.status == .success }
            .flatMap { $0.data["predictions"]?.arrayValue ?? [] }
    }

    // MARK: Colours

    /// The palette, the commonest colour first as the service has it, eight at most.
    var colours: [Colour] {
        let all = predictions(of: "colors").flatMap { $0["palette"]?["colors"]?.arrayValue ?? [] }
        return all.lazy.compactMap(Colour.init).prefix(8).map { $0 }
    }

    /// The palette as squares.
    var swatches: HTML? {
        let colours = colours
        guard !colours.isEmpty else { return nil }
        let squares = colours.enumerated().map { index, colour -> HTML in
            "<rect x=\"\(index * 14)\" width=\"14\" height=\"14\" fill=\"\(attribute: colour.hex)\"/>"
        }
        return """
            <svg class="swatches" width="\(colours.count * 14)" height="14" role="img" \
            aria-label="colours: \(attribute: colours.map(\.text).joined(separator: ", "))">\(squares)</svg>
            """
    }

    // MARK: In words

    /// `face 2 · pose 1`, and what has failed.
    var summary: HTML {
        let parts = enrichments.map { row -> HTML in
            let name = row.service.printable(upTo: 60)
            guard row.status == .success else { return "<span class=\"bad\">\(name) failed</span>" }
            return "<span class=\"quiet\">\(name) \(row.data["predictions"]?.arrayValue?.count ?? 0)</span>"
        }
        return HTML(parts.enumerated().map { $0.offset == 0 ? $0.element : " · \($0.element)" })
    }
}

extension CropFindings.Colour {
    /// - Returns: nil for anything but six hexadecimal digits.
    init?(_ json: JSON) {
        guard let text = json["hex"]?.stringValue, text.utf8.count == 7, text.utf8.first == UInt8(ascii: "#"),
            text.dropFirst().allSatisfy({ $0.isASCII && $0.isHexDigit })
        else { return nil }
        hex = text
        let share = json["share"]?.numberValue ?? json["percent"]?.numberValue.map { $0 / 100 }
        self.share = share.flatMap { (0...1).contains($0) ? $0 : nil }
    }

    /// `#aa5500 60 %`.
    var text: String { hex + (share.map { String(format: " %.0f %%", $0 * 100) } ?? "") }
}
