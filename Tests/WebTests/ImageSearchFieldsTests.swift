import Model
import Pipeline
import Testing

@testable import Web

@Suite("What images are looked for by, in the address")
struct ImageSearchFieldsTests {
    private let query = ImageQuery(
        group: "a b&c", label: "café", includesUnfused: true, emoji: "🐱", minVotes: 2, minConfidence: 0.25,
        disagrees: true, failedService: "blip", hasFailure: true, state: .completeWithErrors, isIncomplete: true,
        lacksConsensus: true, text: "x=%?#", expected: ["blip"])

    @Test("every filter, the order and the place come back from a link as they went into it")
    func links() throws {
        let text =
            "group=a+b%26c&label=caf%C3%A9&unfused=1&emoji=%F0%9F%90%B1&votes=2&confidence=0.25&disagree=1&failed=blip"
            + "&errors=1&state=complete_with_errors&incomplete=1&undecided=1&text=x%3D%25%3F%23&order=oldest&at=a7"
        let fields = try ImageSearchFields(try Fields(text), expected: ["blip"])
        #expect(fields.query == query)
        #expect(fields.order == .oldestFirst && fields.cursor == ImageCursor(after: 7))
        let link = fields.link(at: ImageCursor(before: 9))
        #expect(link.first == "?")
        let again = try ImageSearchFields(try Fields(link.dropFirst()), expected: ["blip"])
        #expect(again.query == query)
        #expect(again.order == .oldestFirst && again.cursor == ImageCursor(before: 9))
        #expect(try ImageSearchFields(try Fields(""), expected: []).link() == "")
    }

    @Test(
        "values of another type or out of range are refused",
        arguments: [
            "votes=0", "votes=1001", "votes=x", "confidence=2", "confidence=nan", "confidence=-0.1", "state=done",
            "order=size", "at=x", "at=a", "at=a-1", "text=" + String(repeating: "a", count: 1001),
        ])
    func refused(text: String) {
        #expect(throws: Fields.Fault.self) { try ImageSearchFields(try Fields(text), expected: []) }
    }
}
