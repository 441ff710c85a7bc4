import Foundation
import Model
import Testing

@Suite("farm forget")
struct ForgetTests {
    private static let tables = ["results", "merged_boxes", "consensus", "postprocessing"]

    /// Four images of which everything is known.
    private func workplace() async throws -> Workplace {
        let workplace = try await Workplace.prepared(images: 4)
        _ = try await workplace.rows(
            "INSERT INTO results (image_id, service, data, status) SELECT image_id, 'yolov8', '{}', 'error' FROM images"
        )
        try await workplace.makeAllKnown()
        return workplace
    }

    private func images(_ workplace: Workplace) async throws -> [[String]] {
        try await workplace.images(in: ForgetTests.tables + ["farm_missing_enrichments", "farm_stale"])
    }

    @Test("a group's results go with all that was derived from them; its images and the others' results stay")
    func group() async throws {
        let workplace = try await workplace()
        let dry = try await workplace.farm("forget", "--group", "odd", "--dry-run", "--json")
        #expect(dry.status == 0, "\(dry.error)")
        #expect(
            try dry.json()
                == [
                    "images": 2, "results": 4, "merged_boxes": 2, "consensus": 2, "postprocessing": 2, "dry_run": true,
                ])
        #expect(try await images(workplace).prefix(4).allSatisfy { $0 == ["1", "2", "3", "4"] })
        let forgotten = try await workplace.farm("forget", "--group", "odd", "--yes")
        #expect(forgotten.status == 0)
        #expect(
            forgotten.output
                == "4 results, 2 merged boxes, 2 consensus and 2 enrichments of 2 images forgotten\n")
        #expect(try await images(workplace).allSatisfy { $0 == ["2", "4"] })
        #expect(try await workplace.count("SELECT count(*) FROM images") == 4)
        let again = try await workplace.farm("forget", "--group", "odd", "--yes", "--json")
        #expect(again.status == 0)
        #expect(try again.json()["results"]?.integerValue == 0)
    }

    @Test("images are named as for show; an unknown one changes nothing")
    func named() async throws {
        let workplace = try await workplace()
        let unknown = try await workplace.farm("forget", "1", "nowhere.jpg", "--yes")
        #expect(unknown.status == 1)
        #expect(unknown.error.contains("nowhere.jpg"))
        #expect(try await workplace.count("SELECT count(*) FROM results") == 8)
        #expect(try await workplace.farm("forget", "1", "3.jpg", "--yes").status == 0)
        #expect(try await images(workplace).allSatisfy { $0 == ["2", "4"] })
        let nobody = try await workplace.farm("forget", "--group", "nobody", "--yes")
        #expect(nobody.status == 1)
        #expect(nobody.error.contains("no image in group nobody"))
    }

    @Test("it asks; elsewhere than on a terminal it needs --yes, and always a name")
    func confirmation() async throws {
        let workplace = try await workplace()
        for (arguments, hint) in [
            (["forget"], "--group"), (["forget", "1", "--group", "odd"], "--group"), (["forget", "1"], "--yes"),
            (["forget", "--service", "clip"], "--yes"), (["forget", "--service", ","], "names no service"),
        ] {
            let refused = try await workplace.farm(arguments)
            #expect(refused.status == 2)
            #expect(refused.error.contains(hint))
        }
        let declined = try await workplace.farm("forget 1", typing: "no\\n")
        #expect(declined.status == 1)
        #expect(
            declined.output.contains(
                "Forget 2 results, 1 merged box, 1 consensus and 1 enrichment of 1 image? [y/N]"))
        #expect(try await workplace.count("SELECT count(*) FROM results") == 8)
        #expect(try await workplace.farm("forget 1", typing: "y\\n").status == 0)
        #expect(try await workplace.count("SELECT count(*) FROM results") == 6)
    }

    @Test("a service that is gone votes no more, and has no boxes: the images are merged and voted on again without it")
    func service() async throws {
        let scene = try await Scene(photos: 2)
        try await scene.produce()
        try #require(try await scene.upUntilIdle().status == 0)
        let workplace = scene.workplace
        func votes() async throws -> [String] {
            try await workplace.rows(
                """
                SELECT image_id, json_extract(v.value, '$.votes'), json_extract(v.value, '$.services')
                FROM consensus c, json_each(c.consensus_data, '$.votes.consensus') v ORDER BY 1, v.key
                """)
        }
        func boxes() async throws -> [String] {
            try await workplace.rows(
                """
                SELECT DISTINCT json_extract(merged_data, '$.contributing_services') FROM merged_boxes
                """)
        }
        #expect(try await votes().contains { $0.contains("rtdetr") })
        // It is out of the file, and jobs of it still wait.
        try workplace.configure(scene.doubles.ports.filter { $0.service != "rtdetr" })
        try await workplace.submit(2, to: "rtdetr")

        let dry = try await workplace.farm("forget", "--service", "rtdetr", "--dry-run", "--json")
        #expect(try dry.json()["results"] == 2)
        #expect(try await votes().contains { $0.contains("rtdetr") })
        let one = try await workplace.farm("forget", "1", "--service", "rtdetr", "--yes")
        #expect(one.status == 0, "\(one.error)")
        #expect(one.error.contains("1 image is to be merged and voted on again: farm up does it"))
        #expect(try await workplace.count("SELECT count(*) FROM results WHERE service = 'rtdetr'") == 1)
        #expect(try await workplace.count("SELECT count(*) FROM consensus") == 1)
        let rest = try await workplace.farm("forget", "--service", "rtdetr", "--yes")
        #expect(rest.status == 0, "\(rest.error)")
        #expect(try await workplace.count("SELECT count(*) FROM results WHERE service = 'rtdetr'") == 0)

        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(try await workplace.count("SELECT count(*) FROM consensus") == 2)
        #expect(try await votes().allSatisfy { !$0.contains("rtdetr") })
        #expect(try await boxes() == [#"["yolov8"]"#])
        // Nobody here does them.
        #expect(up.error.contains("2 jobs of rtdetr waiting, which"), "\(up.error)")
        #expect(up.error.contains("farm purge --service rtdetr"))

        let again = try await workplace.farm("forget", "--service", "rtdetr", "--yes")
        #expect(again.status == 0)
        #expect(again.error.contains("nothing of rtdetr is there; there are results of clip, colors"))
        try await scene.doubles.stop()
    }
}
