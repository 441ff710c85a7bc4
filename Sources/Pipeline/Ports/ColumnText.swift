import Model

/// Text that fits the columns of the tables (spec section 4).
package enum ColumnText {
    /// The length of a worker's id, and of the name of a service or a machine, in characters.
    package static let name = 50
    /// The length of `images.image_filename`, in characters.
    package static let filename = 255

    /// The value, cut and marked if it is longer than the column.
    package static func cut(_ text: String, to limit: Int) -> String {
        guard !fits(text, limit) else { return text }
        var scalars = String.UnicodeScalarView(text.unicodeScalars.prefix(limit - 1))
        scalars.append("…")
        return String(scalars)
    }

    /// Whether the value fits its column.
    package static func fits(_ text: String, _ limit: Int) -> Bool {
        text.utf8.count <= limit || text.unicodeScalars.count <= limit
    }
}

extension NewImage {
    /// The image as it is stored. Empty text counts as missing. A filename that is too long is cut before the image is
    /// looked up, so that it is found again.
    /// - Throws: `PortFault` if nothing identifies the image.
    package func fitting(place: String) throws -> NewImage {
        func given(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
        let fitting = NewImage(
            filename: given(filename).map { ColumnText.cut($0, to: ColumnText.filename) }, path: given(path),
            url: given(url), group: given(group))
        guard fitting.path != nil || fitting.url != nil || fitting.filename != nil else {
            throw PortFault(.refused, place: place, message: "an image has neither path nor URL nor filename")
        }
        return fitting
    }
}
