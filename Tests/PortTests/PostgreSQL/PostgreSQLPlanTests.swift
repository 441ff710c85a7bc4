import Foundation
import Model
import Pipeline
import PostgreSQL
import Testing

@Suite("Statements in PostgreSQL")
struct PostgreSQLPlanTests {
    @Test(
        "find their rows by an index: none of the pipeline's reads through a table that grows", .timeLimit(.minutes(5)))
    func noScans() async throws {
        try await withDatabase { options in
            let first = try await PostgreSQLDatabase.open(options)
            await first.close()
            _ = try await tool(
                options,
                """
                INSERT INTO images (image_filename, image_path, image_url, image_group)
                SELECT n || '.jpg', '/' || n, 'http://h/' || n, 'g' || n % 7 FROM generate_series(1, 20000) n;
                INSERT INTO results (image_id, service, data, status, processing_time, job_id)
                SELECT n, s, '{"predictions": []}', 'success', 0.5, gen_random_uuid()
                FROM generate_series(1, 20000) n, unnest(ARRAY['yolov8', 'blip']) s;
                INSERT INTO merged_boxes (image_id, merged_data, status) SELECT n, '{}', 'success' FROM generate_series(1, 20000) n;
                INSERT INTO postprocessing (image_id, merged_box_id, service, data, status)
                SELECT n, n, 'colors', '{}', 'success' FROM generate_series(1, 20000) n;
                INSERT INTO consensus (image_id, consensus_data) SELECT n, '{}' FROM generate_series(1, 20000) n;
                INSERT INTO farm_begun SELECT gen_random_uuid(), 'w', gen_random_uuid() FROM generate_series(1, 5000);
                INSERT INTO farm_missing_enrichments SELECT n, n, 'face' FROM generate_series(1, 5000) n;
                INSERT INTO farm_refused (place, reason) SELECT '/bad/' || n, 'r' FROM generate_series(1, 5000) n;
                """)
            _ = try await tool(options, "VACUUM ANALYZE")
            // What has come together of the counts, and of the last two hours' minutes, is read as a whole.
            let scans = """
                SELECT relname || ' ' || seq_scan FROM pg_stat_user_tables WHERE relname <> 'farm_schema'
                AND relname NOT IN ('farm_counts', 'farm_count_changes', 'farm_rates', 'farm_recounts', 'farm_progress') ORDER BY 1
                """
            let before = try await tool(options, scans)
            let database = try await PostgreSQLDatabase.open(options)
            // Often enough for the plans that PostgreSQL keeps.
            for round in 1...8 { try await useAll(PostgreSQLStore(database), round * 100) }
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

    @Test("the indexes of paths and URLs hold no empty text, which would be one endless chain")
    func emptyPaths() async throws {
        try await withDatabase { options in
            await (try await PostgreSQLDatabase.open(options)).close()
            let sizes =
                "SELECT pg_relation_size('farm_images_path') || ' ' || pg_relation_size('farm_images_url')"
            let before = try await tool(options, sizes)
            _ = try await tool(
                options,
                "INSERT INTO images (image_filename, image_path, image_url) SELECT n || '.jpg', '', '' FROM generate_series(1, 20000) n"
            )
            #expect(try await tool(options, sizes) == before)
        }
    }

    /// All that the pipeline does, once.
    private func useAll(_ store: PostgreSQLStore, _ first: ImageID) async throws {
        let images = Array(first..<first + 20)
        _ = try await store.add(
            [NewImage(path: "/\(first)"), NewImage(url: "http://h/7"), NewImage(filename: "9.jpg")], move: true)
        _ = try await store.add([NewImage(path: "/new\(first)")], move: true)
        _ = try await store.add([NewImage(path: "/\(first)", url: "http://h/new\(first)")], move: false, update: true)
        try await store.remember([("/bad/\(first)", "r")])
        _ = try await store.refusal(of: "/bad/\(first)")
        _ = try await store.find("\(first)")
        _ = try await store.images(ImageFilter(group: "g3"), after: first, limit: 10)
        _ = try await store.images(ImageFilter(lacking: ["blip", "clip"]), after: first, limit: 10)
        _ = try await store.images(ImageFilter(lacking: ["blip", "clip"], answers: .settled), after: first, limit: 10)
        _ = try await store.finalErrors(ImageFilter(ids: images), of: ["blip", "clip"])
        _ = try await store.failures(since: try await store.failureMark())
        _ = try await store.newestID()
        _ = try await store.images(images)
        let jobs = images.map { JobKey(imageID: $0, jobID: UUID(), redelivered: $0 % 2 == 0) }
        _ = try await store.standing(of: jobs, workerID: "w")
        try await store.settle(jobs.map(\.jobID), workerID: "w")
        try await store.record(images.map { .of($0, "yolov8") })
        _ = try await store.updateBoxes(of: images, from: ["yolov8"], workerID: "m") { _, boxes in
            BoxChanges(
                kept: boxes.prefix(1).map { .init(mergedID: $0.mergedID, box: .of("cat")) },
                removed: boxes.dropFirst().map(\.mergedID), inserted: [.of("dog")])
        }
        let work = try await store.enrichmentWork(of: images)
        let rows = work.flatMap { work in
            work.boxes.map {
                Enrichment(
                    imageID: work.image.id, mergedID: $0.mergedID, service: "face", data: .null, status: .success)
            }
        }
        try await store.recordEnrichments(
            rows, missing: rows.map { MissingEnrichment(imageID: $0.imageID, mergedID: $0.mergedID, service: "pose") },
            of: Dictionary(uniqueKeysWithValues: work.map { ($0.image.id, $0.boxes.map(\.mergedID)) }))
        _ = try await store.imagesMissingEnrichments(of: ["face", "pose"], after: first, limit: 5)
        try await store.updateConsensus(of: images) { _ in ConsensusRecord(data: .null, processingTime: 1) }
        _ = try await store.report(on: images)
        try await store.note(waiting: 1, done: 1, in: "queue_\(first)")
        // What is shown again and again.
        _ = try await store.services()
        _ = try await store.totals()
        _ = try await store.progress()
    }
}
