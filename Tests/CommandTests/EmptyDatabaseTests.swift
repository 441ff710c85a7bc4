import Foundation
import Testing

@Suite("Messages about what is not in the database")
struct EmptyDatabaseTests {
    @Test(
        "say which database that is, and that there is no .env",
        arguments: [
            ["produce"], ["export"], ["show", "cat.jpg"], ["forget", "cat.jpg", "--yes"], ["merge", "--image", "7"],
        ])
    func which(_ arguments: [String]) async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)])
        let bare = try await workplace.farm(arguments)
        #expect(bare.status == 1)
        #expect(bare.error.contains("(in \(workplace.path("farm.db")); no .env here)"), "\(bare.error)")
        try workplace.write(".env", "LOG_LEVEL=INFO\n")
        let settled = try await workplace.farm(arguments)
        #expect(settled.error.contains("(in \(workplace.path("farm.db")))"), "\(settled.error)")
        #expect(!settled.error.contains("no .env"))
    }
}
