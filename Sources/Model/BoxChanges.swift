/// What a merge changes in the rows of one image. Rows are updated in place, so a box that did not change keeps its
/// `merged_id`, and with it its enrichments.
public struct BoxChanges: Sendable, Equatable {
    /// A row that stays, with its new values.
    public struct Kept: Sendable, Equatable {
        /// The id of the row in `merged_boxes`.
        public var mergedID: Int
        /// The fused box.
        public var box: MergedBox

        package init(mergedID: Int, box: MergedBox) {
            self.mergedID = mergedID
            self.box = box
        }
    }

    /// Rows that stay, with their new values.
    public var kept: [Kept]
    /// `merged_id`s of rows that are deleted, with their enrichments.
    public var removed: [Int]
    /// Boxes that had no row.
    public var inserted: [MergedBox]

    package init(kept: [Kept] = [], removed: [Int] = [], inserted: [MergedBox] = []) {
        self.kept = kept
        self.removed = removed
        self.inserted = inserted
    }
}
