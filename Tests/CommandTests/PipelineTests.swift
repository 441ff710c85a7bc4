import Foundation
import Model
import Testing

@Suite("The pipeline", .serialized)
struct PipelineTests {
    @Test("produce and up --until-idle leave every row, and nothing in the queues")
    func endToEnd() async throws {
        let scene = try await Scene(photos: 3)
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(up.output.isEmpty)
        #expect(up.error.contains("queue, store and heartbeats in farm.db"))
        let work = scene.workplace
        #expect(try await work.count("SELECT count(*) FROM results WHERE status = 'success'") == 3 * Scene.primary)
        #expect(try await work.count("SELECT count(*) FROM results") == 3 * Scene.primary)
        #expect(
            try await work.rows("SELECT json_extract(merged_data, '$.label'), count(*) FROM merged_boxes GROUP BY 1")
                == ["dog|3", "person|3"])
        #expect(
            try await work.rows("SELECT service, status, count(*) FROM postprocessing GROUP BY 1, 2 ORDER BY 1")
                == ["colors|success|6", "face|success|3", "pose|success|3"])
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        #expect(try await work.count("SELECT count(*) FROM farm_dead") == 0)

        let consensus = try await work.rows("SELECT consensus_data FROM consensus").map { try JSON(parsing: $0) }
        #expect(consensus.count == 3)
        for data in consensus {
            #expect(
                data["services_list"] == ["clip", "colors", "inception_v3", "rtdetr", "yolov8"],
                "made from all the results")
            let votes = data["votes"]?["consensus"]?.arrayValue ?? []
            #expect(votes.map { $0["emoji"]?.stringValue } == ["🐶", "🧑"])
            #expect(votes.map { $0["votes"]?.integerValue } == [4, 2])
            #expect(votes.last?["validation"] == ["face_confirmed", "pose_confirmed"], "made after the enrichment")
        }
        try await scene.doubles.stop()
    }

    @Test("a service that is down keeps its jobs: no error row, no dead letter, one complaint, exit 1")
    func outage() async throws {
        let scene = try await Scene(photos: 8, absent: ["ocr"])
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 1)
        #expect(up.error.contains("8 jobs of ocr still waiting"))
        #expect(up.error.occurrences(of: "its jobs stay in the queue") == 1, "\(up.error)")
        let work = scene.workplace
        #expect(try await work.rows("SELECT queue, count(*) FROM farm_queue GROUP BY 1") == ["queue_ocr|8"])
        #expect(try await work.count("SELECT count(*) FROM farm_dead") == 0)
        #expect(try await work.count("SELECT count(*) FROM results WHERE service = 'ocr'") == 0)
        #expect(try await work.count("SELECT count(*) FROM results") == 8 * Scene.primary, "the others are done")
        #expect(try await work.count("SELECT count(*) FROM consensus") == 8)

        let run = try await work.farm("run", "photos", environment: Scene.impatient)
        #expect(run.status == 1)
        #expect(run.error.contains("8 jobs of ocr still waiting"), "not submitted twice")
        #expect(run.output.contains("🐶"), "what there is, is printed")

        let late = try await ServiceDoubles.start(["ocr"], in: work)
        try work.configure(scene.doubles.ports + late.ports)
        #expect(try await scene.upUntilIdle().status == 0)
        #expect(try await work.count("SELECT count(*) FROM results WHERE service = 'ocr' AND status = 'success'") == 8)
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        try await late.stop()
        try await scene.doubles.stop()
    }

    @Test("a crop service that is down leaves its boxes for later, the rest is done")
    func cropOutage() async throws {
        let scene = try await Scene(["yolov8", "rtdetr", "clip", "colors", "pose"], photos: 2, absent: ["face"])
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 1)
        #expect(up.error.contains("2 boxes without face"), "\(up.error)")
        let work = scene.workplace
        #expect(
            try await work.rows("SELECT service, count(*) FROM postprocessing GROUP BY 1 ORDER BY 1")
                == ["colors|4", "pose|2"])
        #expect(try await work.count("SELECT count(*) FROM consensus") == 2)

        let late = try await ServiceDoubles.start(["face"], in: work)
        try work.configure(scene.doubles.ports + late.ports)
        let enriched = try await work.farm("enrich", "--all", environment: Scene.impatient)
        #expect(enriched.status == 0, "\(enriched.error)")
        #expect(try await work.count("SELECT count(*) FROM postprocessing WHERE service = 'face'") == 2)
        try await late.stop()
        try await scene.doubles.stop()
    }

    @Test("a job that its service refuses for good leaves an error row and a dead letter; the rest is done")
    func failingJob() async throws {
        let scene = try await Scene(photos: 3, failing: [("clip", "/2.jpg"), ("clip", "\"2.jpg\"")])
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 1, "\(up.error)")
        #expect(up.error.contains("1 job of clip failed (http): image 2: "), "\(up.error)")
        let work = scene.workplace
        #expect(
            try await work.rows("SELECT image_id, service FROM results WHERE status = 'error'") == ["2|clip"])
        let data = try #require(try await work.rows("SELECT data FROM results WHERE status = 'error'").first)
        let error = try #require(try JSON(parsing: data)["error"])
        #expect(error.keys == ["kind", "message", "http_status", "tries"])
        #expect(error["kind"]?.stringValue == "http")
        #expect(error["http_status"]?.integerValue == 500)
        #expect(error["tries"]?.integerValue == 3)
        #expect(
            try await work.rows("SELECT queue, service, image_id, reason, tries FROM farm_dead")
                == ["queue_clip|clip|2|http|3"])
        #expect(try await work.count("SELECT count(*) FROM results WHERE status = 'success'") == 3 * Scene.primary - 1)
        #expect(try await work.count("SELECT count(*) FROM consensus") == 3)
        #expect(
            try await work.rows(
                "SELECT image_id FROM consensus WHERE consensus_data LIKE '%\"services_failed\":[\"clip\"]%'")
                == ["2"])
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        let shown = try await work.farm("show", "2")
        #expect(shown.output.contains(/clip +error/))

        let monitor = try await work.farm("monitor", "--json").json()
        let errors = monitor["errors"]?.arrayValue ?? []
        #expect(errors.contains { $0["service_name"]?.stringValue == "clip" }, "the worker told it: \(monitor)")

        try await scene.produceAgain()
        #expect(try await scene.doubles.calls(of: "clip").begun == 3 + 2 + 3, "two images, three tries, three more")
        try await scene.doubles.stop()
    }
}

extension Scene {
    fileprivate func produceAgain() async throws {
        #expect(try await workplace.farm("produce", "--resume").output.contains("1 job submitted"))
        #expect(try await upUntilIdle().status == 1)
    }
}
