import Harmony
import Model
import Testing

@Suite("What had votes, but too few")
struct UndecidedTests {
    @Test("is named with its services, most votes first; what stays, and who came after the vote, is not")
    func undecidedEmoji() throws {
        let rows = [
            row(1, "clip", [emoji("🐶"), emoji("🐱"), emoji("🐭")]), row(2, "blip", [emoji("🐶"), emoji("🐭")]),
            row(3, "yolov8", [emoji("🐶"), emoji("🐻")]),
        ]
        let consensus = try #require(vote(ballot(rows), options: VotingOptions(minVotes: 3)))
        let later = row(4, "ollama", [emoji("🦊")])
        let found = undecided(rows + [later], in: consensus)
        #expect(
            found.map { "\($0.emoji) \($0.services.joined(separator: ","))" } == ["🐭 blip,clip", "🐱 clip", "🐻 yolov8"])
        let all = try #require(vote(ballot(rows), options: VotingOptions(minVotes: 1)))
        #expect(undecided(rows, in: all).isEmpty)
        #expect(undecided(rows, in: .null).isEmpty)
    }
}
