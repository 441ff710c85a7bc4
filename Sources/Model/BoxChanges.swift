/// What a merge does to the rows of one image: rows are updated in place, so that a box which did not change keeps
/// its `merged_id` and with it its enrichments.
public struct BoxChanges: Sendable, Equatable {
    /// A row that stays, with what it says now.
    public struct Kept: Sendable, Equatable {
        public var mergedID: Int
        public var box: MergedBox

        public init(mergedID: Int, box: MergedBox) {
            self.mergedID = mergedID
            self.box = box
        }
    }

    public var kept: [Kept]
    /// `merged_id`s of rows that go, with their enrichments.
    public var removed: [Int]
    public var inserted: [MergedBox]

    public init(kept: [Kept] = [], removed: [Int] = [], inserted: [MergedBox] = []) {
        self.kept = kept
        self.removed = removed
        self.inserted = inserted
    }
}
