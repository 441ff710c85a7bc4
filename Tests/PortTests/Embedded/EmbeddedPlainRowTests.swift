@testable import Embedded
import Foundation
import Model
import Pipeline
import Testing

@Suite("A plain row in the file")
struct EmbeddedPlainRowTests {
    @Test(
        "is refused where a trigger of another program's refuses or drops it, and taken without",
        arguments: [("RAISE(ABORT, 'not today')", "not today"), ("RAISE(IGNORE)", "did not keep it")])
    func triggers(_ action: String, _ words: String) async throws {
        try await StoreBackend.embedded.run { base in
            _ = try await base.furnished()
            try await base.execute("CREATE TRIGGER theirs BEFORE INSERT ON results BEGIN SELECT \(action); END")
            let row = PlainRow.result(service: "blip", workerID: "w1")
            let fault = try await base.store.refusal(of: row)
            #expect(fault?.message.contains(words) == true)
            #expect(fault?.kind == .refused)
            #expect(try await base.store.refusal(of: .consensus) == nil)
            try await base.execute("DROP TRIGGER theirs")
            #expect(try await base.store.refusal(of: row) == nil)
        }
    }

    @Test("is refused while nothing can be written, in SQLite's own words")
    func readOnly() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        let store = EmbeddedStore(database)
        _ = try await store.add([NewImage(filename: "1.jpg")], move: false)
        try await database.file.onWriter { try $0.execute(sql: "PRAGMA query_only = 1") }
        for row in plainRows where row != .enrichment {
            let fault = try await store.refusal(of: row)
            #expect(fault?.kind == .unusable)
            #expect(fault?.message.contains("attempt to write a readonly database") == true)
        }
        try await database.file.onWriter { try $0.execute(sql: "PRAGMA query_only = 0") }
        for row in plainRows { #expect(try await store.refusal(of: row) == nil) }
        await database.close()
    }
}
