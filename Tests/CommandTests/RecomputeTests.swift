import Foundation
import Model
import Testing

@Suite("merge, enrich and consense by hand", .serialized)
struct RecomputeTests {
    /// Rows as another program writes them: without job_id.
    private func insertResults(_ workplace: Workplace, images: Int) async throws {
        let box = #"{"label":"person","emoji":"🧑","confidence":0.9,"bbox":{"x":10,"y":20,"width":100,"height":200}}"#
        for image in 1...images {
            for service in ["yolov8", "rtdetr"] {
                _ = try await workplace.rows(
                    """
                    INSERT INTO results (image_id, service, data, status, processing_time)
                    VALUES (\(image), '\(service)', '{"status":"success","predictions":[\(box)]}', 'success', 0.5)
                    """)
            }
        }
    }

    @Test("rows that another program inserted are counted, merged, enriched and voted on")
    func foreignRows() async throws {
        let scene = try await Scene(photos: 3)
        let work = scene.workplace
        try await insertResults(work, images: 2)
        let status = try await work.farm("status", "--json").json()
        #expect(status["results"]?.arrayValue?.map { $0["success"]?.integerValue } == [2, 2])

        let merged = try await work.farm("merge", "--all")
        #expect(merged.status == 0, "\(merged.error)")
        #expect(merged.output.contains("3 images recomputed"))
        #expect(try await work.rows("SELECT image_id FROM merged_boxes ORDER BY 1") == ["1", "2"])
        let ids = try await work.rows("SELECT merged_id FROM merged_boxes ORDER BY 1")

        let enriched = try await work.farm("enrich", "--all", environment: Scene.impatient)
        #expect(enriched.status == 0, "\(enriched.error)")
        #expect(try await work.count("SELECT count(*) FROM postprocessing WHERE status = 'success'") == 6)

        let one = try await work.farm("consense", "--image", "1")
        #expect(one.status == 0, "\(one.error)")
        #expect(one.output.contains("1 image recomputed"))
        let data = try #require(
            try await work.rows("SELECT consensus_data FROM consensus WHERE image_id = 1").first)
        let vote = try JSON(parsing: data)["votes"]?["consensus"]?.arrayValue?.first
        #expect(vote?["emoji"]?.stringValue == "🧑")
        #expect(vote?["votes"]?.integerValue == 2)

        let all = try await work.farm("consense", "--all")
        #expect(all.status == 0)
        #expect(try await work.rows("SELECT image_id FROM consensus ORDER BY 1") == ["1", "2"], "3 has no result")

        #expect(try await work.farm("merge", "--all").status == 0)
        #expect(try await work.rows("SELECT merged_id FROM merged_boxes ORDER BY 1") == ids, "the same boxes")
        let calls = try await scene.doubles.calls(of: "colors").begun
        #expect(try await work.farm("enrich", "--image", "1", "2", environment: Scene.impatient).status == 0)
        #expect(try await scene.doubles.calls(of: "colors").begun == calls, "what has an answer is not asked again")
        try await scene.doubles.stop()
    }

    @Test("a change of voting takes effect when it is recomputed")
    func changedVoting() async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg"])
        #expect(try await workplace.farm("import", "photos").status == 0)
        try await insertResults(workplace, images: 1)
        func emoji() async throws -> Int {
            try await workplace.count("SELECT json_array_length(consensus_data, '$.votes.consensus') FROM consensus")
        }
        #expect(try await workplace.farm("consense", "--all").status == 0)
        #expect(try await emoji() == 1)
        try workplace.write("service_config.json", #"{"services": {}, "voting": {"min_votes": 3}}"#)
        #expect(try await workplace.farm("consense", "--all").status == 0)
        #expect(try await emoji() == 0)
    }

    @Test("an unknown id is exit 1, the known ones are done", arguments: ["merge", "enrich", "consense"])
    func unknownID(_ command: String) async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg"])
        #expect(try await workplace.farm("import", "photos").status == 0)
        let finished = try await workplace.farm(command, "--image", "1", "4711")
        #expect(finished.status == 1)
        #expect(finished.error.contains("4711"))
        #expect(finished.output.contains("1 image recomputed"))
    }

    @Test("enrich while a crop service is down says so and fails")
    func outage() async throws {
        let scene = try await Scene(["colors", "pose"], photos: 1, absent: ["face"])
        let work = scene.workplace
        try await insertResults(work, images: 1)
        #expect(try await work.farm("merge", "--all").status == 0)
        let enriched = try await work.farm("enrich", "--all", environment: Scene.impatient)
        #expect(enriched.status == 1)
        #expect(enriched.error.contains("face"))
        #expect(
            try await work.rows("SELECT service FROM postprocessing ORDER BY 1") == ["colors", "pose"])
        try await scene.doubles.stop()
    }
}
