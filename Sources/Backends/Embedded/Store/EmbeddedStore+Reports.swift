import Foundation
import GRDB
import Model
import Pipeline

extension EmbeddedStore {
    /// Everything about these images, in their order. Images that do not exist are left out.
    public func report(on images: [ImageID]) async throws -> [ImageReport] {
        try await file.read { database in
            let rows = ImageRows(database)
            return try images.compactMap { id in
                guard let image = try rows.image(id) else { return nil }
                let consensus = try database.first(
                    "SELECT consensus_data FROM consensus WHERE image_id = ? ORDER BY consensus_id DESC LIMIT 1", [id]
                ) { $0.json(0) }
                return ImageReport(image: image, findings: try rows.findings(id, reading: .all), consensus: consensus)
            }
        }
    }

    /// The fused boxes of each of these images, in the images' order.
    public func boxes(of images: [ImageID]) async throws -> [[StoredBox]] {
        try await file.read { database in
            let rows = ImageRows(database)
            return try images.map(rows.boxes)
        }
    }

    /// How many pairs of a box and a service wait.
    public func missingEnrichments() async throws -> [String: Int] {
        try await file.read { database in
            let counts = try database.all("SELECT service, count(*) FROM farm_missing_enrichments GROUP BY service") {
                ($0.text(0) ?? "", $0.integer(1) ?? 0)
            }
            return Dictionary(counts) { first, _ in first }
        }
    }
}

extension [Double] {
    /// The percentile of sorted values, interpolated linearly between the two nearest (Hyndman and Fan's definition 7).
    /// nil if there are none.
    func percentile(_ fraction: Double) -> Double? {
        guard let last else { return nil }
        let place = fraction * Double(count - 1)
        let index = Int(place)
        guard index + 1 < count else { return last }
        return self[index] + (self[index + 1] - self[index]) * (place - Double(index))
    }
}
