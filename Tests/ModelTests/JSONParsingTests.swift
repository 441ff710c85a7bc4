import Model
import Testing

@Suite("JSON that is read")
struct JSONParsingTests {
    /// Empty arrays of Swift are one object: under the thread sanitizer a write to it shows (`make sanitize`).
    @Test("by many threads at once touches nothing that they share")
    func threads() async throws {
        let text = #"{"a": [], "b": {}, "c": [[], {}], "d": [1, {"e": "f"}]}"#
        let expected = try JSON(parsing: text)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<100 { #expect((try? JSON(parsing: text)) == expected) }
                }
            }
        }
        #expect(expected["a"] == .array([]))
        #expect(expected["b"] == .object([]))
    }
}
