import Doubles
import Harmony
import Model
import Testing

@Suite("Pairing stored boxes with new ones")
struct ReconciliationTests {
    private func dog(_ number: Int, x: Double, label: String = "dog") -> MergedBox {
        mergedBox(label, number, emoji: nil, at: Box(x: x, y: 0, width: 100, height: 100))
    }

    @Test("a box that moved a little keeps its row, one that moved far does not")
    func moved() {
        // IoU of a shift by 5 of 100 is 95/105 = 0.905, by 6 it is 94/106 = 0.887.
        let near = reconcile(stored: [stored(4, dog(1, x: 0))], fused: [dog(1, x: 5)], keepIoU: 0.9)
        #expect(near == BoxChanges(kept: [.init(mergedID: 4, box: dog(1, x: 5))]))
        let far = reconcile(stored: [stored(4, dog(1, x: 0))], fused: [dog(1, x: 6)], keepIoU: 0.9)
        #expect(far == BoxChanges(removed: [4], inserted: [dog(1, x: 6)]))
    }

    @Test("another label is another object")
    func label() {
        let changes = reconcile(stored: [stored(4, dog(1, x: 0))], fused: [dog(1, x: 0, label: "cat")], keepIoU: 0.9)
        #expect(changes == BoxChanges(removed: [4], inserted: [dog(1, x: 0, label: "cat")]))
    }

    @Test("the best overlap pairs first, whatever the numbers of the clusters")
    func bestFirst() {
        let changes = reconcile(
            stored: [stored(1, dog(1, x: 0)), stored(2, dog(2, x: 3))], fused: [dog(1, x: 3.5), dog(2, x: 1)],
            keepIoU: 0.5)
        #expect(changes.kept.map(\.mergedID) == [2, 1])
        let taken = reconcile(
            stored: [stored(1, dog(1, x: 0)), stored(2, dog(2, x: 40))], fused: [dog(1, x: 39)], keepIoU: 0.4)
        #expect(taken.kept.map(\.mergedID) == [2])
        #expect(taken.removed == [1])
    }

    @Test("of equal overlaps the smaller merged_id wins, then the cluster_id")
    func ties() {
        let rows = reconcile(
            stored: [stored(9, dog(1, x: 0)), stored(3, dog(2, x: 0))], fused: [dog(1, x: 0)], keepIoU: 0.9)
        #expect(rows.kept.map(\.mergedID) == [3])
        #expect(rows.removed == [9])
        let boxes = reconcile(stored: [stored(3, dog(1, x: 0))], fused: [dog(2, x: 0), dog(1, x: 0)], keepIoU: 0.9)
        #expect(boxes.kept.map(\.box.clusterID) == ["dog_1"])
        #expect(boxes.inserted.map(\.clusterID) == ["dog_2"])
    }

    @Test("a stored row that is no box goes")
    func unreadable() {
        let rows = [JSON.null, .object(["label": "dog"]), .object(["label": "dog", "merged_bbox": "here"])]
        let changes = reconcile(
            stored: rows.enumerated().map { StoredBox(mergedID: 9 - $0, data: $1) }, fused: [dog(1, x: 0)], keepIoU: 0.9
        )
        #expect(changes == BoxChanges(removed: [7, 8, 9], inserted: [dog(1, x: 0)]))
    }

    @Test("a row of absurd numbers is no reason to stop")
    func absurd() {
        let box = Box(x: -1e308, y: 1e308, width: 1e308, height: -5)
        let row = stored(1, mergedBox("dog", 1, emoji: nil, at: box))
        #expect(reconcile(stored: [row], fused: [dog(1, x: 0)], keepIoU: 0.9).removed == [1])
    }

    @Test("no rows and no boxes change nothing")
    func empty() { #expect(reconcile(stored: [], fused: [], keepIoU: 0.9) == BoxChanges()) }

    @Test(
        "equal boxes all keep their rows, even at keep_iou 1, in any order of the rows",
        arguments: 0..<100 as Range<UInt64>)
    func same(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let boxes = fuse(randomAnswers(&random), options: keepAll).boxes
        let rows = boxes.enumerated().map { stored($0 * 3 + 1, $1) }
        let changes = reconcile(stored: rows.shuffled(using: &random), fused: boxes, keepIoU: 1)
        #expect(changes.kept.map(\.box) == boxes)
        #expect(changes.removed.isEmpty)
        #expect(changes.inserted.isEmpty)
        #expect(Set(changes.kept.map(\.mergedID)).count == boxes.count)
    }

    @Test(
        "the order of the rows does not matter, and every row and box is accounted for",
        arguments: 0..<100 as Range<UInt64>)
    func order(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let rows = fuse(randomAnswers(&random), options: keepAll).boxes.enumerated().map { stored($0 + 1, $1) }
        let boxes = fuse(randomAnswers(&random), options: keepAll).boxes
        let changes = reconcile(stored: rows, fused: boxes, keepIoU: 0.3)
        #expect(reconcile(stored: rows.shuffled(using: &random), fused: boxes, keepIoU: 0.3) == changes)
        #expect((changes.kept.map(\.mergedID) + changes.removed).sorted() == rows.map(\.mergedID))
        #expect(changes.kept.count + changes.inserted.count == boxes.count)
    }
}
