import GRDB
import Model
import Pipeline

extension EmbeddedStore: ResultForgetting {
    /// How many rows `forget` would delete.
    public func holdings(of images: [ImageID]) async throws -> Totals {
        try await file.read { database in
            try EmbeddedStore.sum(images) { image in
                func count(_ table: String) throws -> Int {
                    try database.integer("SELECT count(*) FROM \(table) WHERE image_id = ?", [image]) ?? 0
                }
                return Totals(
                    results: try count("results"), mergedBoxes: try count("merged_boxes"),
                    consensus: try count("consensus"), postprocessing: try count("postprocessing"))
            }
        }
    }

    /// Deletes the rows of the images.
    public func forget(_ images: [ImageID]) async throws -> Totals {
        try await file.write { database in
            let hasSuperseded = try EmbeddedStore.hasSuperseded(database)
            return try EmbeddedStore.sum(images) {
                try EmbeddedStore.dropFindings(of: $0, hasSuperseded: hasSuperseded, database)
            }
        }
    }

    /// Deletes the images and their rows.
    public func remove(_ images: [ImageID]) async throws -> Totals {
        try await file.write { database in
            let hasSuperseded = try EmbeddedStore.hasSuperseded(database)
            return try Set(images).sorted().reduce(into: Totals()) { sum, image in
                var dropped = try EmbeddedStore.dropFindings(of: image, hasSuperseded: hasSuperseded, database)
                dropped.images = try database.run("DELETE FROM images WHERE image_id = ?", [image])
                sum += dropped
            }
        }
    }

    static func hasSuperseded(_ database: Database) throws -> Bool {
        try database.exists("SELECT 1 FROM sqlite_master WHERE name = 'farm_superseded_postprocessing'")
    }

    private static func dropFindings(
        of image: ImageID, hasSuperseded: Bool, _ database: Database
    ) throws -> Totals {
        @discardableResult
        func drop(_ table: String) throws -> Int {
            try database.run("DELETE FROM \(table) WHERE image_id = ?", [image])
        }
        try drop("farm_missing_enrichments")
        if hasSuperseded { try drop("farm_superseded_postprocessing") }
        var dropped = Totals()
        dropped.postprocessing = try drop("postprocessing")
        dropped.consensus = try drop("consensus")
        dropped.mergedBoxes = try drop("merged_boxes")
        dropped.results = try drop("results")
        // The deletions have marked the image. See Triggers.
        try drop("farm_stale")
        try IndexRows(database).lose(image)
        return dropped
    }

    static func sum(_ images: [ImageID], _ rows: (ImageID) throws -> Totals) rethrows -> Totals {
        var sum = Totals()
        for image in Set(images).sorted() {
            var rows = try rows(image)
            rows.images = rows == Totals() ? 0 : 1
            sum += rows
        }
        return sum
    }
}
