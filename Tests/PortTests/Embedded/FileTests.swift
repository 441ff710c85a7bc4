import Doubles
@testable import Embedded
import Foundation
import GRDB
import Pipeline
import Testing

@Suite("An embedded file")
struct FileTests {
    private func fault(_ path: String) async -> PortFault? {
        await #expect(throws: PortFault.self) { try await EmbeddedDatabase.open(path) }
    }

    @Test("is made at first use, also over an empty file, but not in a folder that does not exist")
    func making() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        _ = FileManager.default.createFile(atPath: folder.database, contents: nil)
        let database = try await EmbeddedDatabase.open(folder.database)
        #expect(try await database.prepare().contains("table images created"))
        await database.close()
        let missing = await fault(folder.path + "/missing/farm.db")
        #expect(missing?.kind == .unusable)
        #expect(missing?.message.contains("\(folder.path)/missing does not exist") == true)
    }

    @Test("that is no database, or a folder, is refused with the way to mend it")
    func noDatabase() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: folder.database))
        let junk = await fault(folder.database)
        #expect(junk?.kind == .unusable)
        #expect(junk?.message.contains("not an SQLite database") == true)
        #expect(await fault(folder.path)?.message.contains("is a folder") == true)
    }

    @Test("of a newer farm is used if that farm only added to it, else refused")
    func newer() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let first = try await EmbeddedDatabase.open(folder.database)
        await first.close()
        func record(_ version: Int, needs: Int) async throws {
            try await tool(folder.database).write {
                try $0.execute(sql: "INSERT INTO farm_schema VALUES (?, ?, '')", arguments: [version, needs])
            }
        }
        try await record(100, needs: 1)
        let second = try await EmbeddedDatabase.open(folder.database)
        #expect(try await second.prepare().isEmpty)
        await second.close()
        try await record(101, needs: 101)
        let newer = await fault(folder.database)
        #expect(newer?.kind == .unusable)
        #expect(newer?.message.contains("newer farm") == true)
    }

    @Test("is opened by several processes at once, before it is there", .timeLimit(.minutes(5)))
    func together() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let created = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let database = try await EmbeddedDatabase.open(folder.database)
                    try await EmbeddedQueue(database).publish(["1"], to: "q")
                    let done = try await database.prepare()
                    await database.close()
                    return done
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(created.filter { $0 == "table images created" }.count == 1)
        let database = try await EmbeddedDatabase.open(folder.database)
        #expect(try await EmbeddedQueue(database).depths(of: ["q"])[0].waiting == 8)
        await database.close()
    }

    @Test("that has no room left fails for the moment, and nothing is done by halves")
    func full() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        let queue = EmbeddedQueue(database)
        try await database.file.onWriter { writer in
            let pages = try Int.fetchOne(writer, sql: "PRAGMA page_count") ?? 0
            try writer.execute(sql: "PRAGMA max_page_count = \(pages + 10)")
        }
        let large = (0..<100).map { _ in Message(queue: "q", body: Array(repeating: 0x20, count: 4000)) }
        let fault = await #expect(throws: PortFault.self) { try await queue.publish(large) }
        #expect(fault?.kind == .transient)
        #expect(fault?.message.contains("make room") == true)
        #expect(try await queue.depths(of: ["q"])[0].waiting == 0)
        try await queue.publish(Array(large.prefix(1)))
        #expect(try await queue.depths(of: ["q"])[0].waiting == 1)
        await database.close()
        let closed = await #expect(throws: PortFault.self) { try await queue.publish(large) }
        #expect(closed?.kind == .unusable)
    }

    @Test("is opened again where another process has just removed its log or holds it; other faults are told")
    func passing() {
        #expect(SQLiteFile.isPassing(CocoaError(.fileReadNoSuchFile)))
        #expect(SQLiteFile.isPassing(DatabaseError(resultCode: .SQLITE_BUSY)))
        #expect(!SQLiteFile.isPassing(DatabaseError(resultCode: .SQLITE_CORRUPT)))
        #expect(!SQLiteFile.isPassing(CocoaError(.fileReadNoPermission)))
    }

    @Test("holds everything by itself when nobody has it open: a copy of it alone is whole")
    func copy() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let first = try await EmbeddedDatabase.open(folder.database)
        let second = try await EmbeddedDatabase.open(folder.database)
        for database in [first, second] {
            let queue = EmbeddedQueue(database)
            try await queue.publish(["1"], to: "q")
            // Connections that only read are open, too.
            #expect(try await queue.depths(of: ["q"])[0].waiting > 0)
        }
        await first.close()
        await second.close()
        #expect(!FileManager.default.fileExists(atPath: folder.database + "-wal"))
        let copy = folder.path + "/copy.db"
        try FileManager.default.copyItem(atPath: folder.database, toPath: copy)
        let waiting = try await tool(copy).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM farm_queue") }
        #expect(waiting == 2)
    }

    @Test(
        "is neither read nor written any more when it was removed, or another file is in its place",
        arguments: [true, false])
    func gone(replaced: Bool) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        let queue = EmbeddedQueue(database)
        try await queue.publish(["1"], to: "q")
        try FileManager.default.removeItem(atPath: folder.database)
        if replaced { _ = FileManager.default.createFile(atPath: folder.database, contents: nil) }
        for _ in 1...2 {
            let written = await #expect(throws: PortFault.self) { try await queue.publish(["2"], to: "q") }
            #expect(written?.kind == .unusable)
            #expect(written?.message.contains("removed or replaced") == true)
            let read = await #expect(throws: PortFault.self) { try await queue.depths(of: ["q"]) }
            #expect(read?.message == written?.message)
        }
        await database.close()
    }

    @Test(
        "says of each of SQLite's errors what can be done",
        arguments: [
            (ResultCode.SQLITE_BUSY_SNAPSHOT, PortFault.Kind.transient, "locked"),
            (.SQLITE_FULL, .transient, "make room"),
            (.SQLITE_IOERR_READ, .transient, "disk"), (.SQLITE_CONSTRAINT_NOTNULL, .refused, "refused"),
            (.SQLITE_TOOBIG, .refused, "refused"),
            (.SQLITE_READONLY, .unusable, "read-only"), (.SQLITE_NOTADB, .unusable, "FARM_DB"),
            (.SQLITE_CORRUPT, .unusable, ".recover"),
            (.SQLITE_CANTOPEN, .unusable, "folder"), (.SQLITE_ERROR, .unusable, "farm init"),
        ])
    func faults(_ code: ResultCode, _ kind: PortFault.Kind, _ mending: String) {
        let fault = PortFault(DatabaseError(resultCode: code, message: "m"), place: "farm.db")
        #expect(fault.kind == kind)
        #expect(fault.message.contains(mending))
        #expect(fault.place == "farm.db")
    }
}
