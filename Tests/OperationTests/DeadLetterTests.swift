import Testing

@testable import Operations

@Suite("Dead letters by pages")
struct DeadLetterTests {
    @Test(
        "a place among them is known by its text",
        arguments: ["queue_clip", "q", String(repeating: "ü?", count: 80), "a=b&c/+\u{202E}"])
    func place(queue: String) throws {
        for number in [0, 35, 36, 20_000, Int64.max] {
            let place = DeadPlace(queue: queue, place: number)
            #expect(DeadPlace(place.text) == place)
            #expect(place.text.utf8.count <= 360)
            #expect(place.text.wholeMatch(of: /[-0-9a-z]+\.[-_0-9A-Za-z]+/) != nil, "it needs no escapes")
        }
    }

    @Test(
        "other texts are no place",
        arguments: [
            "", ".", "5", "5.", ".cQ", "-1.cQ", "+1.cQ", "01.cQ", "5.c", "5.cQ==", "5.cQ.", "5.AA", "5._w", "5.c Q",
            "z!.cQ", "1y2p0ij32e8e8.cQ", "A.cQ", "5." + String(repeating: "cQcQ", count: 100),
        ])
    func noPlace(text: String) { #expect(DeadPlace(text) == nil) }

    @Test("a large queue leaves the others their share of a look, and takes what they do not need")
    func shares() {
        #expect(DeadOverview.shares(of: [], limit: 10).isEmpty)
        #expect(DeadOverview.shares(of: [7, 2], limit: 10) == [7, 2])
        #expect(DeadOverview.shares(of: [6000, 7, 3], limit: 5000) == [4990, 7, 3])
        #expect(DeadOverview.shares(of: [90, 80, 1], limit: 21) == [10, 10, 1])
        #expect(DeadOverview.shares(of: [5, 5, 5], limit: 2).reduce(0, +) == 2)
    }
}
