import Doubles
@testable import Embedded
import Foundation
import GRDB
import Model
import Pipeline
import Synchronization
import Testing

@Suite("Statements that write")
struct PlanTests {
    @Test("find their rows by an index: none reads through a table that grows", .timeLimit(.minutes(5)))
    func noScans() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        let statements = Mutex<Set<String>>([])
        try await database.file.onWriter { writer in
            writer.trace { event in
                if case .statement(let statement) = event { _ = statements.withLock { $0.insert(statement.sql) } }
            }
        }
        try await useAll(database)
        let seen = statements.withLock { $0 }.filter {
            !$0.hasPrefix("BEGIN") && !$0.hasPrefix("COMMIT") && !$0.hasPrefix("PRAGMA")
        }
        #expect(seen.count > 35)
        let scans = try await database.file.onWriter { writer in
            writer.trace(options: [])
            return try seen.filter { !$0.hasPrefix("--") }.flatMap { sql in
                let explain = try writer.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
                explain.setUncheckedArguments(StatementArguments())
                return try Row.fetchAll(explain).compactMap { $0["detail"] as String? }
                    .filter {
                        $0.hasPrefix("SCAN")
                            // In farm_queue_delayed there is only what is delayed.
                            && ![
                                "json_each", "farm_holders", "CONSTANT", "SCAN n", "subquery", "farm_queue_delayed",
                                "sqlite_master",
                            ].contains(where: $0.contains)
                    }
                    .map { "\($0): \(sql)" }
            }
        }
        #expect(scans.isEmpty)
        await database.close()
    }

    /// Everything that writes, once.
    private func useAll(_ database: EmbeddedDatabase) async throws {
        let store = EmbeddedStore(database)
        let queue = EmbeddedQueue(database)
        let images = try await store.add(
            [NewImage(path: "/a"), NewImage(url: "u"), NewImage(filename: "f")], move: true
        ).ids
        _ = try await store.add([NewImage(path: "/a", group: "g")], move: true)
        _ = try await store.add([NewImage(path: "/a", url: "http://h/a")], move: false, update: true)
        try await store.remember([("/b", "r")])
        let job = UUID()
        _ = try await store.standing(of: [JobKey(imageID: images[0], jobID: job, redelivered: true)], workerID: "w")
        try await store.settle([job], workerID: "w")
        try await store.record([.of(images[0], "yolov8", jobID: job)])
        for changes in [
            BoxChanges(inserted: [.of("cat"), .of("dog")]),
            BoxChanges(kept: [.init(mergedID: 1, box: .of("cat", x: 3))], removed: [2]),
        ] {
            _ = try await store.updateBoxes(of: images, from: ["yolov8"], workerID: "m") { _, _ in changes }
        }
        try await store.recordEnrichments(
            [Enrichment(imageID: images[0], mergedID: 1, service: "face", data: .null, status: .success)],
            missing: [MissingEnrichment(imageID: images[0], mergedID: 1, service: "pose")],
            of: [images[0]: [1]])
        try await store.updateConsensus(of: images) { _ in ConsensusRecord(data: .null, processingTime: 0) }
        try await store.note(waiting: 1, done: 1, in: "q")
        try await EmbeddedHeartbeats(database).record(.of("w"))
        try await queue.publish(["1", "2", "3", "4"], to: "q")
        let consumer = try await queue.consume("q", prefetch: 4)
        var taken = try await consumer.next(upTo: 4).map(\.receipt)
        try await consumer.acknowledge([taken.removeFirst()])
        try await consumer.giveBack([taken.removeFirst()], after: .seconds(1))
        let letter = DeadLetter(reason: "r", message: "m", tries: 1, workerID: "w", firstFailure: Date())
        try await consumer.bury([(taken.removeFirst(), letter)])
        await consumer.close()
        for part in [QueuePart.dead, .waiting] {
            let pass = try await queue.pass(through: "q", part)
            while case let batch = try await pass.next(), !batch.isEmpty {
                _ = try await pass.replace(batch.map { ($0.receipt, Message(queue: "q", body: $0.body)) })
                _ = try await pass.remove(batch.map(\.receipt))
            }
        }
        _ = try await queue.purge("q")
        _ = try await store.holdings(of: images, services: ["yolov8"])
        _ = try await store.forget(images, services: ["yolov8"])
        _ = try await store.forget(images)
        _ = try await store.remove(images)
    }
}
