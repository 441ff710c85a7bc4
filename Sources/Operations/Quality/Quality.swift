import Model
import Pipeline

/// Looks at a sample of images, to tell how well the services agree and work.
package struct Quality: Sendable {
    /// Images that are looked at, unless told otherwise.
    package static let sampleSize = 500
    /// Images that are in memory at once.
    private static let batchSize = 25

    let store: any Reports & ImageBrowsing & ImageIndexing
    let rules: ReadingRules

    /// A look at this store.
    package init(store: any Reports & ImageBrowsing & ImageIndexing, rules: ReadingRules) {
        self.store = store
        self.rules = rules
    }

    /// The newest images that a service has answered.
    /// - Parameter limit: of images.
    /// - Throws: `PortFault`.
    package func report(of limit: Int = Quality.sampleSize) async throws -> QualityReport {
        let images = try await store.recentlyAnswered(limit: max(1, limit))
        var sample = QualitySample(rules)
        for start in stride(from: 0, to: images.count, by: Quality.batchSize) {
            try Task.checkCancellation()
            let batch = Array(images[start..<min(start + Quality.batchSize, images.count)])
            let rows = try await store.recentResults(of: batch, perService: 2)
            for material in try await store.material(of: batch, detectors: []) {
                let votes = material.consensus?["votes"]?["consensus"]?.arrayValue ?? []
                sample.add(
                    rows[material.imageID] ?? [], boxes: material.boxes,
                    emoji: Set(votes.compactMap { $0["emoji"]?.stringValue }))
            }
        }
        return sample.report
    }
}
