/// What a merge does to the rows of one image: rows are updated in place, so that a box which did not change keeps
/// its `merged_id` and with it its enrichments.
public struct BoxChanges: Sendable, Equatable {
    /// A row that stays, with what it says now.
    public struct Kept: Sendable, Equatable {
        /// The row of `merged_boxes`.
        public var mergedID: Int
        /// The fused box.
        public var box: MergedBox

        package init(mergedID: Int, box: MergedBox) {
            self.mergedID = mergedID
            self.box = box
        }
    }

    /// Rows that stay, with what they say now.
    public var kept: [Kept]
    /// `merged_id`s of rows that go, with their enrichments.
    public var removed: [Int]
    /// Boxes that had no row.
    public var inserted: [MergedBox]

    package init(kept: [Kept] = [], removed: [Int] = [], inserted: [MergedBox] = []) {
        self.kept = kept
        self.removed = removed
        self.inserted = inserted
    }
}
