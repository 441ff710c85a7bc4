import Model

/// The index that images are searched by (docs/decisions/0028-image-index.md). No trigger keeps it: who looks at images follows
/// the tables, and who writes rows pays nothing.
enum IndexTables {
    /// The space of the advisory locks by which one process at a time writes the index. It lies beside `Locks.space`.
    static let space = Locks.space + 2

    static let tables: [(name: String, sql: String)] = [
        // What services have answered about an image, as JSON; many images share one. The key is made of its text.
        (
            "farm_image_states",
            """
            CREATE TABLE IF NOT EXISTS farm_image_states (
                state_id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key UUID NOT NULL UNIQUE, standing JSONB NOT NULL)
            """
        ),
        // Labels and emoji, with a letter before them that tells which.
        (
            "farm_image_tags",
            """
            CREATE TABLE IF NOT EXISTS farm_image_tags (
                tag_id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tag TEXT COLLATE "C" NOT NULL UNIQUE)
            """
        ),
        // Which images have them; value: confidence of a label, votes of an emoji.
        (
            "farm_tagged_images",
            """
            CREATE TABLE IF NOT EXISTS farm_tagged_images (
                tag_id INT NOT NULL, image_id INT NOT NULL, value FLOAT8 NOT NULL,
                PRIMARY KEY (tag_id, image_id) INCLUDE (value))
            """
        ),
        // A row for each image that is indexed: what else it is found by, its tags, and the rows that this rests on.
        (
            "farm_indexed_images",
            """
            CREATE TABLE IF NOT EXISTS farm_indexed_images (
                image_id INT PRIMARY KEY, state_id INT NOT NULL, votes SMALLINT NOT NULL, sureness SMALLINT NOT NULL,
                confidence FLOAT8 NOT NULL, boxes INT NOT NULL, result_id BIGINT NOT NULL, merged_id BIGINT NOT NULL,
                consensus_id BIGINT NOT NULL, tags INT[] NOT NULL)
            """
        ),
        // Up to where each table was followed; `verified`: up to where all images were looked through again.
        (
            "farm_index_marks",
            "CREATE TABLE IF NOT EXISTS farm_index_marks (relation TEXT PRIMARY KEY, mark BIGINT NOT NULL)"
        ),
        // Indexed images that have lost rows since, which no new row tells.
        (
            "farm_index_losses",
            """
            CREATE TABLE IF NOT EXISTS farm_index_losses (
                loss_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, image_id INT NOT NULL)
            """
        ),
    ]

    static let indexes = ["state_id", "votes", "sureness"].map { column in
        Index(name: "farm_indexed_\(column)", table: "farm_indexed_images", definition: "(\(column), image_id)")
    }

    /// The tables that are followed, and their keys.
    static let followed = [
        ("images", "image_id"), ("results", "result_id"), ("merged_boxes", "merged_id"), ("consensus", "consensus_id"),
        ("farm_index_losses", "loss_id"),
    ]

    /// What deleting rows of images does to the index: they are looked at again. An index that rests on other rows than these is
    /// not as it should be, whatever rows there are.
    static func losing(_ ids: [ImageID]) -> [Statement] {
        [
            Statement("SELECT pg_advisory_xact_lock(\(space), 0)"),
            Statement(
                """
                WITH lost AS (
                    UPDATE farm_indexed_images SET result_id = -1 WHERE image_id = ANY($1::bigint[]) RETURNING image_id)
                INSERT INTO farm_index_losses (image_id) SELECT image_id FROM lost
                """, .integers(ids)),
        ]
    }

    static let verified = "verified"
}
