import Foundation
import Model
import Pipeline
import Testing

/// What the triggers of a store keep, read by SQL.
struct KeptCounts {
    let base: StoreBase
    let isEmbedded: Bool

    init(_ base: StoreBase, _ backend: StoreBackend) {
        self.base = base
        isEmbedded = backend.name == "embedded"
    }

    func of(_ relation: String, service: String? = nil, passed: Bool = true) async throws -> Int {
        let kept =
            isEmbedded
            ? "farm_counts"
            : """
            (SELECT relation, service, passed, amount FROM farm_counts
                UNION ALL SELECT relation, service, passed, amount FROM farm_count_changes) k
            """
        let isOf = service.map { " AND service = '\($0)'" } ?? ""
        let sum = try await base.select(
            """
            SELECT CAST(coalesce(sum(amount), 0) AS TEXT) FROM \(kept)
            WHERE relation = '\(relation)' AND \(passed ? "" : "NOT ")passed\(isOf)
            """)
        return try #require(sum.first.flatMap { Int($0) })
    }

    /// As if rows had come in that no trigger saw.
    func distort(by amount: Int) async throws {
        try await base.execute(
            isEmbedded
                ? "UPDATE farm_counts SET amount = amount + \(amount) WHERE relation = 'results' AND service = 'clip' AND passed"
                : "INSERT INTO farm_count_changes VALUES ('results', 'clip', true, \(amount), NULL)")
    }

    /// Another program's rows.
    func insert(_ count: Int, _ status: String = "success") async throws {
        try await base.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
            INSERT INTO results (image_id, service, data, status) SELECT 1, 'clip', '{}', '\(status)' FROM n
            """)
    }
}

@Suite("Row counts")
struct CountBehaviours {
    @Test("are what triggers keep beyond 10,000, and are counted up to there, or on demand", arguments: storeBackends)
    func kept(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let kept = KeptCounts(base, backend)
            let made = try #require(try await base.store.lastRecount())
            try await kept.insert(RowCounts.exactLimit + 50)
            try await kept.insert(20, "error")
            #expect(try await base.store.services().map(\.success) == [RowCounts.exactLimit + 50])
            #expect(try await base.store.services().map(\.error) == [20])
            #expect(try await base.store.totals().results == RowCounts.exactLimit + 70)

            try await kept.distort(by: 7)
            #expect(try await base.store.services().map(\.success) == [RowCounts.exactLimit + 57])
            #expect(try await base.store.services().map(\.error) == [20], "so few are counted")
            #expect(try await base.store.totals().results == RowCounts.exactLimit + 77)
            #expect(try await base.store.services(exact: true).map(\.success) == [RowCounts.exactLimit + 50])
            #expect(try await base.store.totals(exact: true).results == RowCounts.exactLimit + 70)

            try await base.advance(.seconds(10))
            try await base.store.recount()
            #expect(try await base.store.services().map(\.success) == [RowCounts.exactLimit + 50])
            #expect(try await base.store.totals().results == RowCounts.exactLimit + 70)
            #expect(try #require(try await base.store.lastRecount()) > made)
            try await base.store.recount()
            #expect(try await kept.of("results") == RowCounts.exactLimit + 50, "nothing is put right twice")

            try await kept.distort(by: 7)
            try await base.execute("DELETE FROM results WHERE result_id <= 100")
            #expect(try await base.store.services().map(\.success) == [RowCounts.exactLimit - 50], "they are counted")
        }
    }

    @Test("follow whatever anybody writes, updates and deletes", arguments: storeBackends)
    func everybody(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let kept = KeptCounts(base, backend)
            let images = try await base.images(3)
            try await base.store.record(images.map { .of($0, "yolov8") } + [.of(images[0], "ocr", status: .error)])
            try await base.execute(
                """
                INSERT INTO results (image_id, service, data, status) VALUES (1, 'clip', '{}', 'success'),
                    (1, 'clip', '{}', NULL), (1, NULL, '{}', 'success');
                UPDATE results SET status = 'error' WHERE service = 'yolov8' AND image_id = \(images[0]);
                INSERT INTO merged_boxes (image_id, merged_data) VALUES (1, '{}'), (1, '{}');
                INSERT INTO consensus (image_id, consensus_data) VALUES (1, '{}');
                INSERT INTO postprocessing (image_id, merged_box_id, service, data, status)
                VALUES (1, 1, 'face', '{}', 'success'), (1, 1, 'pose', '{}', 'error'), (1, 1, 'colors', '{}', 'error');
                UPDATE postprocessing SET status = 'empty' WHERE service = 'pose';
                DELETE FROM merged_boxes WHERE merged_id = 2
                """)
            #expect(try await kept.of("results", service: "yolov8") == 2)
            #expect(try await kept.of("results", service: "yolov8", passed: false) == 1)
            #expect(try await kept.of("results", service: "ocr", passed: false) == 1)
            #expect(try await kept.of("results", service: "clip") == 1)
            #expect(try await kept.of("results", service: "clip", passed: false) == 1)
            #expect(try await kept.of("images") == 3)
            #expect(try await kept.of("merged_boxes") == 1)
            #expect(try await kept.of("consensus") == 1)
            #expect(try await kept.of("postprocessing") == 2)
            #expect(try await kept.of("postprocessing", passed: false) == 1)
            #expect(
                try await base.store.totals()
                    == Totals(
                        images: 3, results: 7, mergedBoxes: 1, consensus: 1, postprocessing: 3, failedPostprocessing: 1)
            )
            #expect(try await base.store.totals(exact: true) == base.store.totals())
            #expect(try await base.store.services(exact: true) == base.store.services())

            _ = try await base.store.forget([images[1]])
            _ = try await base.store.remove([images[0]])
            #expect(try await kept.of("results", service: "yolov8") == 1)
            #expect(try await kept.of("results", service: "yolov8", passed: false) == 0)
            #expect(try await kept.of("images") == 2)
        }
    }

    @Test(
        "hold no row that was not taken: of a job that has its row, of an image that is gone", arguments: storeBackends)
    func refused(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let kept = KeptCounts(base, backend)
            let result = AnalysisResult.of(try await base.image(), "clip")
            for _ in 1...2 { try await base.store.record([result, .of(999, "clip")]) }
            try await base.store.probe(.result(service: "clip", workerID: "w"), of: nil)
            #expect(try await kept.of("results", service: "clip") == 1)
            let minutes = try #require(try await base.store.progress().services["clip"])
            #expect(minutes.reduce(0) { $0 + $1.done } == 1)
        }
    }
}

@Suite("How fast the work goes on")
struct ProgressBehaviours {
    @Test("is counted by minutes, whoever writes the rows, and forgotten after the hour", arguments: storeBackends)
    func rows(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            #expect(try await base.store.progress() == ProgressReport())
            let images = try await base.images(3)
            try await base.store.record(images.map { .of($0, "clip") })
            try await base.advance(.seconds(600))
            let other = try await base.connect()
            try await other.record([.of(images[0], "clip"), .of(images[1], "clip", status: .error)])
            _ = try await base.store.forget([images[2]])
            let minutes = try #require(try await base.store.progress().services["clip"])
            #expect(minutes.map(\.done) == [2, 3], "what is dropped was done all the same")
            #expect(minutes.map(\.errors) == [1, 0])
            #expect((0...61).contains(minutes[0].age))
            #expect((600...661).contains(minutes[1].age))
            try await base.advance(.seconds(3100))
            #expect(try await base.store.progress().services["clip"]?.map(\.done) == [2])
            try await base.advance(.seconds(7200))
            #expect(try await base.store.progress().services.isEmpty)
        }
    }

    @Test(
        "is what each process notes of its queues, added up; what waits is what was seen last", arguments: storeBackends
    )
    func notes(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let other = try await base.connect()
            try await base.store.note(waiting: 100, done: 0, in: "queue_consensus")
            try await base.store.note(waiting: 90, done: 10, in: "queue_consensus")
            try await base.store.note(waiting: 1, done: 1, in: "queue_bbox_merge")
            try await base.advance(.seconds(120))
            try await other.note(waiting: 70, done: 20, in: "queue_consensus")
            let progress = try await base.store.progress()
            #expect(progress.queues["queue_consensus"]?.map(\.done) == [20, 10])
            #expect(progress.queues["queue_bbox_merge"]?.map(\.done) == [1])
            let samples = try #require(progress.samples["queue_consensus"])
            #expect(samples.map(\.waiting) == [70, 90])
            #expect((119...200).contains(samples[1].age))
            #expect(progress.services.isEmpty)

            try await base.advance(.seconds(8000))
            try await base.store.note(waiting: 0, done: 0, in: "queue_consensus")
            #expect(try await base.select("SELECT CAST(count(*) AS TEXT) FROM farm_progress") == ["1"], "old ones go")
        }
    }
}
