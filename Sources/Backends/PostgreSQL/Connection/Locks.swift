import Model

/// Advisory locks. Their first number tells farm's from other programs'.
enum Locks {
    /// "farm" in ASCII.
    static let space = 0x6661_726D

    /// Takes the locks of these images, which are in ascending order, until the transaction ends. It has to be the
    /// transaction's first statement: what the next ones see is then what the locks' last holders wrote.
    static func take(_ images: [ImageID]) -> Statement {
        Statement(
            "SELECT pg_advisory_xact_lock(\(space), image::int) FROM unnest($1::bigint[]) AS image", .integers(images))
    }

    /// Imports wait for each other: nothing else keeps two from adding the same image.
    static let imports = Statement("SELECT pg_advisory_xact_lock(\(space), -1)")

    /// What is set for services changes one act after another: each rests on what the one before has set.
    static let control = Statement("SELECT pg_advisory_xact_lock(\(space), -2)")

    /// Each once, ascending; without those that no `INT` column can hold, which nobody has.
    static func order(_ images: [ImageID]) -> [ImageID] {
        Set(images).filter { Int32(exactly: $0) != nil }.sorted()
    }
}
