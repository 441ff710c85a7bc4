import Foundation
import Model
import Testing

@Suite("farm show", .serialized)
struct ShowTests {
    private func analysed(photos: Int = 1) async throws -> Workplace {
        let scene = try await Scene(photos: photos)
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        try #require(up.status == 0, "\(up.error)")
        try await scene.doubles.stop()
        return scene.workplace
    }

    @Test("the votes with their evidence, the boxes and the results are tables")
    func tables() async throws {
        let workplace = try await analysed()
        let shown = try await workplace.farm("show", "1")
        #expect(shown.status == 0, "\(shown.error)")
        #expect(shown.error.isEmpty)
        #expect(shown.output.contains(/🐶 +4 +\d+ +clip, inception_v3, rtdetr, yolov8/))
        #expect(shown.output.contains("1 box by up to 2 detectors"))
        #expect(shown.output.contains("classified by clip, inception_v3"))
        #expect(shown.output.contains("face_confirmed, pose_confirmed"))
        #expect(shown.output.contains(/🧑 person_1 .*rtdetr, yolov8.*colors, face, pose/))
        #expect(shown.output.contains(/colors +success/))
        #expect(!shown.output.contains("\u{1B}"))
    }

    @Test("what had votes, but too few, is named with its services; so by farm run")
    func undecided() async throws {
        let workplace = try await analysed()
        #expect(try await !workplace.farm("show", "1").output.contains("undecided"))
        _ = try await workplace.rows(
            """
            UPDATE results SET data = json_insert(data, '$.predictions[#]', json('{"emoji": "🐱"}')) WHERE service = 'clip'
            """)
        #expect(try await workplace.farm("consense", "--image", "1").status == 0)
        #expect(try await workplace.farm("show", "1").output.contains("\nundecided: 🐱 (clip)\n"))

        let scene = try await Scene(["clip", "inception_v3"], photos: 0)
        try scene.workplace.photos(["photos/1.jpg"])
        let file = try String(contentsOfFile: scene.workplace.path("service_config.json"), encoding: .utf8)
        try scene.workplace.write("service_config.json", file.dropLast() + ",\"voting\":{\"min_votes\":3}}")
        let run = try await scene.workplace.farm("run", "photos")
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("  no emoji has votes of enough services\n  undecided: 🐶 (clip, inception_v3)\n"))
        try await scene.doubles.stop()
    }

    @Test("--json has the rows as they are stored")
    func json() async throws {
        let workplace = try await analysed()
        let shown = try await workplace.farm("show", "1", "--json")
        #expect(shown.status == 0)
        let documents = try #require(try shown.json().arrayValue)
        #expect(documents.count == 1)
        #expect(documents[0].keys == ["image", "results", "merged_boxes", "postprocessing", "consensus"])
        #expect(documents[0]["image"]?["image_filename"]?.stringValue == "1.jpg")
        #expect(documents[0]["results"]?.arrayValue?.count == Scene.primary)
        #expect(documents[0]["merged_boxes"]?.arrayValue?.count == 2)
        #expect(documents[0]["postprocessing"]?.arrayValue?.count == 4)
        #expect(documents[0]["consensus"]?["consensus_algorithm"]?.stringValue == "v3_voting")
        let stored = try #require(try await workplace.rows("SELECT consensus_data FROM consensus").first)
        #expect(documents[0]["consensus"] == (try JSON(parsing: stored)))
    }

    @Test("--picture writes a picture in the format of the file's name")
    func picture() async throws {
        let workplace = try await analysed()
        let heads: [(String, [UInt8])] = [
            ("out.jpg", [0xFF, 0xD8, 0xFF]), ("out.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
        ]
        let plain = try Data(contentsOf: URL(fileURLWithPath: workplace.path("photos/1.jpg")))
        for (name, head) in heads {
            let shown = try await workplace.farm("show", "photos/1.jpg", "--picture", name)
            #expect(shown.status == 0, "\(shown.error)")
            #expect(shown.error.contains(name), "where it is")
            let bytes = try Data(contentsOf: URL(fileURLWithPath: workplace.path(name)))
            #expect(Array(bytes.prefix(head.count)) == head)
            #expect(bytes != plain)
        }
        let folder = try await workplace.farm("show", "1", "--picture", "missing/out.jpg")
        #expect(folder.status == 1)
        #expect(folder.error.contains("missing/out.jpg"))
        let format = try await workplace.farm("show", "1", "--picture", "out.docx")
        #expect(format.status != 0)
        #expect(format.error.contains("out.docx"))
    }

    @Test("an image is named by its id, its path, a relative path or its filename")
    func names() async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg", "photos/deep/2.jpg"])
        try workplace.write("list.csv", "image_url\nhttp://nas.local/3.jpg\n")
        #expect(try await workplace.farm("import", "photos", "list.csv").status == 0)
        let names = [
            "2", "2.jpg", "photos/deep/2.jpg", "./photos/deep/../deep/2.jpg",
            try #require(try await workplace.rows("SELECT image_path FROM images WHERE image_id = 2").first),
        ]
        for name in names {
            let shown = try await workplace.farm("show", name, "--json")
            #expect(shown.status == 0, "\(name): \(shown.error)")
            #expect(try shown.json().arrayValue?.map { $0["image"]?["image_id"]?.integerValue } == [2], "\(name)")
        }
        let url = try await workplace.farm("show", "http://nas.local/3.jpg", "--json")
        #expect(try url.json().arrayValue?.first?["image"]?["image_id"]?.integerValue == 3)
        let several = try await workplace.farm("show", "3", "1", "--json")
        #expect(try several.json().arrayValue?.map { $0["image"]?["image_id"]?.integerValue } == [3, 1])
    }

    @Test("an unknown image is exit 1")
    func unknown() async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg"])
        #expect(try await workplace.farm("import", "photos").status == 0)
        for name in ["2", "none.jpg", "99999999999999999999999", "-1x", "' OR 1=1 --"] {
            let shown = try await workplace.farm("show", "--", name)
            #expect(shown.status == 1)
            #expect(shown.error.contains(name))
            #expect(shown.output.isEmpty)
        }
    }

    @Test("a name of several images shows all; --picture draws one and refuses, naming them")
    func ambiguous() async throws {
        let workplace = try Workplace()
        try workplace.photos(["a/same.jpg", "b/same.jpg"])
        #expect(try await workplace.farm("import", "a", "b").status == 0)
        let shown = try await workplace.farm("show", "same.jpg", "--json")
        #expect(try shown.json().arrayValue?.count == 2)
        let picture = try await workplace.farm("show", "same.jpg", "--picture", "out.jpg")
        #expect(picture.status == 2)
        #expect(picture.error.contains("a/same.jpg"))
        #expect(picture.error.contains("b/same.jpg"))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("out.jpg")))
    }
}
