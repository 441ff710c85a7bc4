@testable import Embedded
import Foundation
import GRDB
import Model
import Operations
import Pipeline
import PostgreSQL
import Servers
import Synchronization
import Testing
import Waiting

/// Looks through the images in every way there is.
private func useAll(_ store: any ImageBrowsing & ImageIndexing) async throws {
    for (_, query) in FilledShelf.queries {
        for order in ImageOrder.allCases {
            let page = try await store.page(query, order, limit: 20)
            for cursor in [page.next, page.next.map { ImageCursor(before: $0.imageID) }].compactMap({ $0 }) {
                _ = try await store.page(query, order, at: cursor, limit: 20)
            }
        }
        _ = try await store.neighbours(of: 5000, query)
    }
    _ = try await store.history(of: 7, limit: 10)
    _ = try await store.result(7, of: 7)
    _ = try await store.recentResults(of: [7, 8], perService: 2)
    _ = try await store.recentlyAnswered(limit: 10)
    _ = try await store.groups(limit: 10)
    _ = try await store.labels(beginning: "label", limit: 10)
    _ = try await store.indexLag()
    let work = try await store.indexWork(limit: 100)
    let material = try await store.material(of: Array(1...20), detectors: ["yolov8"])
    #expect(material.count == 20)
    // One that is there, one that is gone.
    let versions = [19_000, 30_000].map {
        ImageVersion(imageID: $0, resultID: 19_000, mergedID: 19_000, boxes: 1, consensusID: 19_000)
    }
    try await store.index(
        [ImageFacts(imageID: 19_000, labels: ["cat": 0.5], emoji: ["🐱": 2])],
        for: IndexWork(images: versions, marks: work.marks, isBehind: false))
}

@Suite("Looking through images reads no table as a whole")
struct BrowsingPlanTests {
    private static let images = 20_000

    @Test("in PostgreSQL, be the plans made for the values or for any", .timeLimit(.minutes(5)))
    func postgresql() async throws {
        try await withDatabase { options in
            await (try await PostgreSQLDatabase.open(options)).close()
            let execute: @Sendable (String) async throws -> Void = { sql in _ = try await tool(options, sql) }
            try await FilledShelf(execute: execute, images: Self.images).fill(makesKeys: true)
            try await execute("VACUUM ANALYZE")
            // But for what is so small that it is read as a whole: the tags, and at this size what is indexed.
            let scans = """
                SELECT relname || ' ' || seq_scan FROM pg_stat_user_tables WHERE relname IN ('images', 'results', 'merged_boxes',
                    'consensus', 'farm_tagged_images') ORDER BY 1
                """
            let before = try await tool(options, scans)
            let database = try await PostgreSQLDatabase.open(options)
            // Often enough for the plans that PostgreSQL keeps.
            for _ in 1...4 { try await useAll(PostgreSQLStore(database)) }
            // What a connection has counted is told when it ends.
            await database.close()
            while try await tool(
                options,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(options.name)' AND pid <> pg_backend_pid()"
            ) != ["0"] {}
            let after = try await tool(options, scans)
            #expect(after == before)
        }
    }

    @Test("in the embedded file", .timeLimit(.minutes(5)))
    func embedded() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        let path = folder.database
        let execute: @Sendable (String) async throws -> Void = { sql in
            try await tool(path).write { try $0.execute(sql: sql) }
        }
        try await FilledShelf(execute: execute, images: Self.images).fill(makesKeys: false)
        try await execute("ANALYZE")
        let statements = Mutex<Set<String>>([])
        let trace: @Sendable (Database) -> Void = { connection in
            connection.trace { event in
                if case .statement(let statement) = event { _ = statements.withLock { $0.insert(statement.sql) } }
            }
        }
        try await database.file.onWriter { trace($0) }
        try await database.file.read { trace($0) }
        try await useAll(EmbeddedStore(database))
        let seen = statements.withLock { $0 }.filter {
            $0.hasPrefix("SELECT") || $0.hasPrefix("WITH") || $0.hasPrefix("DELETE")
        }
        #expect(seen.count > 60)
        let scans = try await database.file.onWriter { writer in
            writer.trace(options: [])
            return try seen.flatMap { sql in
                let explain = try writer.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
                explain.setUncheckedArguments(StatementArguments())
                return try Row.fetchAll(explain).compactMap { $0["detail"] as String? }
                    .filter { detail in
                        detail.hasPrefix("SCAN")
                            // What has a limit, is made by the statement itself, or is so small that it is read as a whole.
                            && ![
                                "subquery", "SCAN d", "SCAN n", "json_each", "CONSTANT", "farm_index_marks",
                                "farm_image_states",
                            ]
                            .contains(where: detail.contains)
                            && !sql.contains("FROM results ORDER BY result_id DESC LIMIT")
                    }
                    .map { "\($0): \(sql)" }
            }
        }
        #expect(scans.isEmpty)
        await database.close()
    }
}

/// FARM_SCALE=900000
private let scale = ProcessInfo.processInfo.environment["FARM_SCALE"].flatMap(Int.init)

@Suite("Looking through very many images", .enabled(if: scale != nil))
struct FilledScale {
    @Test("takes so long", arguments: [StoreBackend.embedded, .postgresql])
    func measure(_ backend: StoreBackend) async throws {
        let count = try #require(scale)
        try await backend.run { base in
            let shelf = FilledShelf(execute: base.execute, images: count)
            let filling = try await ContinuousClock().measure {
                try await shelf.fill(makesKeys: backend.name != "embedded")
                try await base.execute(backend.name == "embedded" ? "ANALYZE" : "VACUUM ANALYZE")
            }
            print("\(backend.name): \(count) images, filled in \(filling)")
            for (name, query) in FilledShelf.queries {
                var (times, page) = ([Duration](), ImagePage())
                for _ in 1...5 {
                    times.append(
                        try await ContinuousClock().measure { page = try await base.store.page(query, limit: 50) })
                }
                let first = String(format: "%.1f", times[0].seconds * 1000)
                let median = String(format: "%.1f", times.sorted()[2].seconds * 1000)
                let end = page.searchedTo.map { ", searched up to \($0)" } ?? ""
                print("  \(name): first \(first) ms, median \(median) ms, \(page.tiles.count) images\(end)")
            }
        }
    }
}
