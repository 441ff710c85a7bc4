import Doubles
@testable import Embedded
import Foundation
import GRDB
import GRDBSQLite
import Model
import Pipeline
import Synchronization
import Testing
import Waiting

@Suite("The embedded queue", .timeLimit(.minutes(5)))
struct EmbeddedQueueTests {
    @Test("takes by its index alone: no scan, no sorting")
    func plan() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        let plan = try await database.file.read {
            try String.fetchAll(
                $0, sql: "EXPLAIN QUERY PLAN \(QueueTable.takeSQL)", arguments: [1, "q", 10],
                adapter: SuffixRowAdapter(fromIndex: 3))
        }
        #expect(plan.contains { $0.contains("farm_queue_ready (queue=?)") })
        #expect(plan.allSatisfy { !$0.contains("SCAN") && !$0.contains("TEMP B-TREE") }, "\(plan)")
        await database.close()
    }

    @Test("takes past ten thousand delayed and ten thousand held messages without a look at them")
    func head() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        let queue = EmbeddedQueue(database)
        for _ in 0..<2 {
            try await queue.publish((0..<10_000).map(String.init), to: "q")
        }
        let consumer = try await queue.consume("q", prefetch: 30_000)
        let delayed = try await consumer.next(upTo: 10_000)
        try await consumer.giveBack(delayed.map(\.receipt), after: .seconds(3600))
        let held = try await consumer.next(upTo: 10_000)
        #expect(held.count == 10_000)
        try await queue.publish(["last"], to: "q")
        let holder = try #require(database.hub.holder)
        let steps = try await database.file.onWriter { writer in
            let statement = try writer.cachedStatement(sql: QueueTable.takeSQL)
            _ = sqlite3_stmt_status(statement.sqliteStatement, SQLITE_STMTSTATUS_VM_STEP, 1)
            let taken = try QueueTable.take("q", limit: 10, holder: holder, writer)
            #expect(taken.map { String(decoding: $0.body, as: UTF8.self) } == ["last"])
            return sqlite3_stmt_status(statement.sqliteStatement, SQLITE_STMTSTATUS_VM_STEP, 1)
        }
        #expect(steps < 300)
        await database.close()
    }

    @Test("whoever waits for activity is woken by what another process publishes, and else returns at the limit")
    func activity() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        // The limit needs a clock that goes.
        let one = try await EmbeddedDatabase.open(folder.database, SystemTime())
        let other = try await EmbeddedDatabase.open(folder.database, SystemTime())
        let queue = EmbeddedQueue(one)
        try await queue.awaitActivity(upTo: .milliseconds(1))
        let isOver = Mutex(false)
        let waiting = Task {
            try await queue.awaitActivity(upTo: .seconds(3600))
            isOver.withLock { $0 = true }
        }
        // What is published before the task waits does not wake it.
        while !isOver.withLock({ $0 }) {
            try await EmbeddedQueue(other).publish(["job"], to: "q")
            try await Task.sleep(for: .milliseconds(10))
        }
        try await waiting.value
        let cancelled = Task { try await queue.awaitActivity(upTo: .seconds(3600)) }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        for database in [one, other] { await database.close() }
    }

    @Test("keeps a dead letter with all that is known of it")
    func deadLetter() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let time = ManualTime()
        let database = try await EmbeddedDatabase.open(folder.database, time)
        let queue = EmbeddedQueue(database)
        let job = Job(image: Image(id: 7, path: "/a"), service: "blip", queue: "queue_blip", now: time.now())
        try await queue.publish([
            Message(queue: "queue_blip", body: job.body, headers: ["h": "1"]),
            Message(queue: "queue_blip", body: [0xFF]),
        ])
        let consumer = try await queue.consume("queue_blip", prefetch: 2)
        let letter = DeadLetter(
            reason: "timeout", message: "no answer in 30 s", tries: 3, workerID: "w1",
            firstFailure: time.now().addingTimeInterval(-60))
        let taken = try await consumer.next(upTo: 2)
        try await consumer.bury(taken.map { ($0.receipt, letter) } + [(Receipt(epoch: 1, tag: 99), letter)])
        let rows = try tool(folder.database).read { try Row.fetchAll($0, sql: "SELECT * FROM farm_dead ORDER BY id") }
        #expect(rows.count == 2)
        let row = try #require(rows.first)
        #expect(row["queue"] == "queue_blip")
        #expect(row["body"] == Data(job.body))
        #expect(row["headers"] == #"{"h":"1"}"#)
        #expect(row["reason"] == "timeout")
        #expect(row["message"] == "no answer in 30 s")
        #expect(row["tries"] == 3)
        #expect(row["worker_id"] == "w1")
        #expect(row["first_failure"] == Timestamp.sqlite(letter.firstFailure))
        #expect(row["dead_since"] == Timestamp.sqlite(time.now()))
        #expect(row["image_id"] == 7)
        #expect(row["job_id"] == job.jobID.text)
        #expect(row["service"] == "blip")
        #expect(rows[1]["image_id"] == nil)
        await database.close()
    }

    @Test("a crash between the commit and the acknowledgement leaves one row, and the job comes again")
    func crash() async throws {
        let processes = try EmbeddedProcesses()
        let (crashing, other) = (try await processes.connect(), try await processes.connect())
        let database = try await EmbeddedDatabase.open(processes.folder.database)
        let store = EmbeddedStore(database)
        let image = try #require(try await store.add([NewImage(path: "/a")], move: false).ids.first)
        let job = Job(image: Image(id: image), service: "blip", queue: "q", now: Date())
        try await other.queue.publish([Message(queue: "q", body: job.body)])
        let lost = try await crashing.queue.consume("q", prefetch: 1).next(upTo: 1)
        #expect(lost.count == 1)
        try await store.record([.of(image, jobID: job.jobID)])
        try await crashing.die()

        let consumer = try await other.queue.consume("q", prefetch: 1)
        let again = try await consumer.next(upTo: 1)
        #expect(again.map(\.redelivered) == [true])
        let key = JobKey(imageID: image, jobID: job.jobID, redelivered: true)
        #expect(try await store.standing(of: [key], workerID: "w2") == [.recorded(.success, error: nil)])
        try await consumer.acknowledge(again.map(\.receipt))
        #expect(try await store.totals().results == 1)
        #expect(try await other.queue.depths(of: ["q"]) == [QueueDepth(queue: "q", waiting: 0, inFlight: 0, dead: 0)])
        await database.close()
        await processes.close()
    }

    @Test("a process that slept over its lease loses what it held and goes on")
    func asleep() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let (sleeping, waking) = (ManualTime(), ManualTime())
        let (first, second) = (
            try await EmbeddedDatabase.open(folder.database, sleeping),
            try await EmbeddedDatabase.open(folder.database, waking)
        )
        try await EmbeddedQueue(first).publish(["1"], to: "q")
        let sleeper = try await EmbeddedQueue(first).consume("q", prefetch: 1)
        let lost = try await sleeper.next(upTo: 1)
        waking.advance(by: .seconds(16))
        let other = try await EmbeddedQueue(second).consume("q", prefetch: 1)
        #expect(try await other.next(upTo: 1).map(\.text) == ["1"])
        // It had no room left; that its lease is gone makes room.
        let next = Task { try await sleeper.next(upTo: 1) }
        try await EmbeddedQueue(first).publish(["2"], to: "q")
        await sleeping.sleepers(1)
        sleeping.advance(by: .seconds(16))
        let taken = try await next.value
        #expect(taken.map(\.text) == ["2"])
        #expect(taken.first?.receipt.epoch != lost.first?.receipt.epoch)
        try await sleeper.acknowledge(lost.map(\.receipt))
        #expect(try await EmbeddedQueue(first).depths(of: ["q"])[0].inFlight == 2)
        await first.close()
        await second.close()
    }

    @Test("wakes a consumer whose prefetch is used up when it has settled something")
    func roomAgain() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let database = try await EmbeddedDatabase.open(folder.database)
        try await EmbeddedQueue(database).publish(["1", "2"], to: "q")
        let consumer = try await EmbeddedQueue(database).consume("q", prefetch: 1)
        let first = try await consumer.next(upTo: 1)
        let next = Task { try await consumer.next(upTo: 1) }
        while !database.hub.bell.hasWaiters { await Task.yield() }
        try await consumer.acknowledge(first.map(\.receipt))
        #expect(try await next.value.map(\.text) == ["2"])
        await database.close()
    }

    @Test("wakes for a delay that ends before its next look")
    func delay() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let time = ManualTime()
        let database = try await EmbeddedDatabase(path: folder.database, time: time, log: quiet, lease: .seconds(3000))
        try await EmbeddedQueue(database).publish(["1"], to: "q")
        let consumer = try await EmbeddedQueue(database).consume("q", prefetch: 1)
        let first = try await consumer.next(upTo: 1)
        await time.sleepers(1)
        try await consumer.giveBack(first.map(\.receipt), after: .seconds(10))
        let next = Task { try await consumer.next(upTo: 1) }
        while !database.hub.bell.hasWaiters { await Task.yield() }
        await time.sleepers(1)
        time.advance(by: .seconds(10))
        #expect(try await next.value.map(\.text) == ["1"])
        await database.close()
    }

    @Test("a database that closes gives back what all its consumers hold")
    func closing() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let first = try await EmbeddedDatabase.open(folder.database)
        try await EmbeddedQueue(first).publish(["1", "2"], to: "q")
        for _ in 0..<2 {
            #expect(try await EmbeddedQueue(first).consume("q", prefetch: 1).next(upTo: 1).count == 1)
        }
        await first.close()
        let second = try await EmbeddedDatabase.open(folder.database)
        let taken = try await EmbeddedQueue(second).consume("q", prefetch: 2).next(upTo: 2)
        #expect(taken.map(\.text) == ["1", "2"])
        #expect(taken.allSatisfy { $0.redelivered })
        await second.close()
    }
}

@Suite("The watch on the write-ahead log", .timeLimit(.minutes(5)))
struct LogWatchTests {
    @Test("tells of touches, also of a log that was removed and made anew")
    func touches() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let log = folder.database + "-wal"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let (changes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let watch = try LogWatch(log: log) { continuation.yield() }
        var told = changes.makeAsyncIterator()
        utimensat(AT_FDCWD, log, nil, 0)
        await told.next()
        try FileManager.default.removeItem(atPath: log)
        await told.next()
        // As SQLite makes it: in place.
        close(open(log, O_CREAT | O_RDWR, 0o644))
        await told.next()
        utimensat(AT_FDCWD, log, nil, 0)
        await told.next()
        watch.close()
    }
}
