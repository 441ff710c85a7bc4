extension TableDefinition {
    /// The index that images are searched by (docs/decisions/0028-image-index.md). No trigger keeps it: who looks at images
    /// follows the tables, and who writes rows pays nothing.
    static let index = [
        // What services have answered about an image, as JSON; many images share one.
        TableDefinition(
            name: "farm_image_states",
            columns: [("state_id", "INTEGER PRIMARY KEY"), ("standing", "TEXT NOT NULL")],
            constraint: "UNIQUE (standing)"),
        // Labels and emoji, with a letter before them that tells which.
        TableDefinition(
            name: "farm_image_tags", columns: [("tag_id", "INTEGER PRIMARY KEY"), ("tag", "TEXT NOT NULL")],
            constraint: "UNIQUE (tag)"),
        // Which images have them; value: confidence of a label, votes of an emoji.
        TableDefinition(
            name: "farm_tagged_images",
            columns: [("tag_id", "INTEGER NOT NULL"), ("image_id", "INTEGER NOT NULL"), ("value", "REAL NOT NULL")],
            constraint: "PRIMARY KEY (tag_id, image_id)", isWithoutRowID: true),
        // A row for each image that is indexed: what else it is found by, the rows that this rests on, and its tags.
        TableDefinition(
            name: "farm_indexed_images",
            columns: [
                ("image_id", "INTEGER PRIMARY KEY"), ("state_id", "INTEGER NOT NULL"), ("votes", "INTEGER NOT NULL"),
                ("sureness", "INTEGER NOT NULL"), ("confidence", "REAL NOT NULL"), ("boxes", "INTEGER NOT NULL"),
                ("result_id", "INTEGER NOT NULL"), ("merged_id", "INTEGER NOT NULL"),
                ("consensus_id", "INTEGER NOT NULL"), ("tags", "TEXT NOT NULL"),
            ]),
        // Up to where each table was followed; `verified`: up to where all images were looked through again.
        TableDefinition(
            name: "farm_index_marks",
            columns: [("relation", "TEXT PRIMARY KEY NOT NULL"), ("mark", "INTEGER NOT NULL")], isWithoutRowID: true),
        // Indexed images that have lost rows since, which no new row tells. Ids are never used twice.
        TableDefinition(
            name: "farm_index_losses", columns: [("loss_id", serial), ("image_id", "INTEGER NOT NULL")]),
    ]

    /// The tables that are followed, and their keys.
    static let followed = [
        ("images", "image_id"), ("results", "result_id"), ("merged_boxes", "merged_id"), ("consensus", "consensus_id"),
        ("farm_index_losses", "loss_id"),
    ]

    static let verified = "verified"
}
