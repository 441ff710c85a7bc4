import Model
import Pipeline

extension ImageCatalogue where Self: ImportRecords {
    /// The images that people name by id, path, URL or filename. A path may be relative.
    /// - Throws: `OperationFault` if no image has such a name, `PortFault`.
    package func images(named names: [String]) async throws -> [Image] {
        var found: [Image] = []
        for name in names {
            var matches = try await find(name)
            if matches.isEmpty { matches = try await find(PathText.absolute(name)) }
            guard !matches.isEmpty else {
                for place in [name, PathText.absolute(name)] {
                    if let refusal = try await refusal(of: place) { throw OperationFault.failed(refusal.text) }
                }
                throw OperationFault.missing(
                    "no image \(name): name its id, path, URL or filename; farm import loads images")
            }
            found += matches.filter { match in !found.contains { $0.id == match.id } }
        }
        return found
    }
}

extension Refusal {
    /// A message for people who ask for the image.
    package var text: String { "\(place) was refused on \(Timestamp.iso8601(refused)): \(reason)" }
}
