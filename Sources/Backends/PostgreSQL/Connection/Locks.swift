import Model

/// Advisory locks. Their first number distinguishes farm's locks from other programs'.
enum Locks {
    /// "farm" in ASCII.
    static let space = 0x6661_726D

    /// Takes the locks of these images, which are in ascending order, until the transaction ends. It must be the first
    /// statement of the transaction. Then the next ones see what the last holders of the locks wrote.
    static func take(_ images: [ImageID]) -> Statement {
        Statement(
            "SELECT pg_advisory_xact_lock(\(space), image::int) FROM unnest($1::bigint[]) AS image", .integers(images))
    }

    /// Imports wait for each other, since nothing else prevents two of them from adding the same image.
    static let imports = Statement("SELECT pg_advisory_xact_lock(\(space), -1)")

    /// What is set for services changes one act after another: each rests on what the one before has set.
    static let control = Statement("SELECT pg_advisory_xact_lock(\(space), -2)")

    /// Who goes on with a submission is decided one after another.
    static let submissions = Statement("SELECT pg_advisory_xact_lock(\(space), -3)")

    /// The ids without duplicates, ascending, and without those that do not fit an `INT` column, which no image has.
    static func order(_ images: [ImageID]) -> [ImageID] {
        Set(images).filter { Int32(exactly: $0) != nil }.sorted()
    }
}
