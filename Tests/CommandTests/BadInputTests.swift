import Foundation
import Model
import Testing

@Suite("Bad input to the pipeline", .serialized)
struct BadInputTests {
    private struct Expected {
        var name: String
        var kind: String
        var tries: Int
    }

    /// Spec section 5: what may pass is tried MAX_RETRIES times, what is final once; or twice, where meanwhile nothing showed
    /// that the service works.
    private let answers = [
        Expected(name: "html", kind: "not_json", tries: 3), Expected(name: "empty", kind: "not_json", tries: 3),
        Expected(name: "nan", kind: "not_json", tries: 3), Expected(name: "cut", kind: "connection", tries: 3),
        Expected(name: "busy", kind: "http", tries: 3), Expected(name: "absent", kind: "http", tries: 1),
        Expected(name: "long", kind: "too_large", tries: 1), Expected(name: "deep", kind: "too_large", tries: 1),
        Expected(name: "list", kind: "bad_answer", tries: 1), Expected(name: "text", kind: "bad_answer", tries: 1),
        Expected(name: "error", kind: "service_error", tries: 1),
    ]

    @Test("an answer of any bad kind leaves an error row and a dead letter that name it; the worker goes on")
    func badAnswers() async throws {
        let work = try Workplace()
        let doubles = try await ServiceDoubles.misbehaving(["clip", "ocr"], in: work)
        try work.configure(doubles.ports)
        let names = answers.map(\.name) + ["good", "shapes"]
        try work.photos(names.map { "photos/\($0).jpg" })
        #expect(try await work.farm("import", "photos").status == 0)
        #expect(try await work.farm("produce", "-s", "clip").status == 0)
        let up = try await work.farm("up", "--until-idle", environment: ["RETRY_DELAY": "0", "MAX_RETRIES": "3"])
        #expect(up.status == 1, "\(up.error)")
        #expect(up.error.contains("3 jobs of clip failed (not_json): image "), "\(up.error)")

        let rows = try await work.rows(
            """
            SELECT substr(image_filename, 1, length(image_filename) - 4), status,
                coalesce(json_extract(data, '$.error.kind'), ''),
                coalesce(iif(json_extract(data, '$.error.tries') = 2, 1, json_extract(data, '$.error.tries')), '')
            FROM results JOIN images USING (image_id) ORDER BY 1
            """)
        let expected =
            answers.map { "\($0.name)|error|\($0.kind)|\($0.tries)" } + [
                "good|success||", "shapes|success||",
            ]
        #expect(rows == expected.sorted())
        let letters = try await work.rows(
            """
            SELECT substr(image_filename, 1, length(image_filename) - 4), reason, iif(tries = 2, 1, tries)
            FROM farm_dead JOIN images USING (image_id) WHERE message <> '' ORDER BY 1
            """)
        #expect(letters == answers.map { "\($0.name)|\($0.kind)|\($0.tries)" }.sorted())
        #expect(try await work.count("SELECT count(*) FROM consensus") == names.count, "each is made without it")
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        try await doubles.stop()
    }

    @Test("predictions of another shape are stored and ignored")
    func badShapes() async throws {
        let work = try Workplace()
        let doubles = try await ServiceDoubles.misbehaving(["yolov8", "rtdetr", "clip", "colors"], in: work)
        try work.configure(doubles.ports)
        try work.photos(["photos/shapes.jpg"])
        let run = try await work.farm("run", "photos", "--json", environment: Scene.impatient)
        #expect(run.status == 0, "\(run.error)")
        let found = try #require(try run.json().arrayValue?.first)
        let predictions = found["results"]?.arrayValue?.map { $0["data"]?["predictions"]?.arrayValue?.count }
        #expect(predictions == [8, 8, 8, 8])
        #expect(found["merged_boxes"]?.arrayValue?.count == 1)
        let votes = found["consensus"]?["votes"]?["consensus"]?.arrayValue ?? []
        #expect(votes.map { $0["emoji"]?.stringValue } == ["🐶"])
        #expect(votes.first?["votes"]?.integerValue == 4)
        try await doubles.stop()
    }

    @Test("a photo that cannot be used leaves error rows that say so; the consensus is made without it")
    func badPhotos() async throws {
        let work = try Workplace()
        let doubles = try await ServiceDoubles.misbehaving(["yolov8", "clip", "colors"], in: work)
        try work.configure(doubles.ports)
        try work.photos(["photos/good.jpg", "served/good.jpg"])
        try work.write("photos/empty.jpg", "")
        try work.write("photos/text.jpg", "no picture at all")
        try work.giantPicture("photos/giant.png", side: 30_000)
        try work.halfPhoto("photos/half.jpg", of: "photos/good.jpg")
        let pictures = "http://127.0.0.1:\(try doubles.port("clip"))/pictures"
        try work.write(
            "list.csv",
            """
            image_path,image_url
            photos/good.jpg,
            photos/missing.jpg,
            photos/empty.jpg,
            photos/text.jpg,
            photos/giant.png,
            photos/half.jpg,
            ,\(pictures)/good.jpg
            ,\(pictures)/gone.jpg
            """)
        #expect(try await work.farm("import", "list.csv").output.contains("8 added"))
        #expect(try await work.farm("produce").status == 0)
        let up = try await work.farm("up", "--until-idle", environment: Scene.impatient)
        #expect(up.status == 1, "\(up.error)")

        func errors(_ name: String, _ table: String = "results") async throws -> Set<String> {
            Set(
                try await work.rows(
                    """
                    SELECT json_extract(data, '$.error.kind') || ': ' || json_extract(data, '$.error.message')
                    FROM \(table) JOIN images USING (image_id)
                    WHERE image_filename = '\(name)' AND status = 'error' AND image_url IS \(name == "gone.jpg" ? "NOT " : "")NULL
                    """))
        }
        let folder = work.folder.standardizedFileURL.path + "/photos"
        #expect(try await errors("good.jpg").isEmpty)
        #expect(
            try await errors("missing.jpg") == [
                "image: \(folder)/missing.jpg: cannot be read: No such file or directory"
            ])
        #expect(try await errors("empty.jpg") == ["image: \(folder)/empty.jpg: the file is empty"])
        #expect(
            try await errors("text.jpg") == ["image: \(folder)/text.jpg: not an image: starts with \"no picture a\""])
        #expect(
            try await errors("giant.png") == [
                "too_large: \(folder)/giant.png: 30000 × 30000 pixels, over the limit of 100 megapixels"
            ])
        #expect(
            try await errors("half.jpg") == [
                "image: \(folder)/half.jpg: truncated or damaged JPEG: Corrupt JPEG data: premature end of data segment"
            ])
        let gone = try await errors("gone.jpg")
        #expect(gone.count == 3 && gone.allSatisfy { $0.contains("http: ") && $0.contains("answers 404") }, "\(gone)")

        let unused = try await work.rows(
            """
            SELECT image_filename, json_extract(consensus_data, '$.services_count', '$.services_failed')
            FROM consensus JOIN images USING (image_id) WHERE image_url IS NULL ORDER BY image_id
            """)
        let failed = #"[0,["clip","colors","yolov8"]]"#
        #expect(
            unused == [
                "good.jpg|[3,[]]", "missing.jpg|\(failed)", "empty.jpg|\(failed)", "text.jpg|\(failed)",
                "giant.png|\(failed)", "half.jpg|\(failed)",
            ])
        #expect(try await work.count("SELECT count(*) FROM consensus") == 8)
        try await doubles.stop()
    }

    @Test("a photo that is gone when its boxes are cropped leaves error rows for them, and a consensus")
    func lostPhoto() async throws {
        let work = try Workplace()
        let doubles = try await ServiceDoubles.misbehaving(["yolov8", "clip", "colors"], in: work)
        try work.configure(doubles.ports)
        _ = try await work.farm("init")
        let pictures = "http://127.0.0.1:\(try doubles.port("clip"))/pictures"
        _ = try await work.rows(
            """
            INSERT INTO images (image_filename, image_url) VALUES ('gone.jpg', '\(pictures)/gone.jpg');
            INSERT INTO results (image_id, service, data, status) VALUES (1, 'yolov8', '{"predictions": [{"label": "dog",
                "emoji": "🐶", "confidence": 0.9, "bbox": {"x": 1, "y": 2, "width": 30, "height": 40}}]}', 'success');
            """)
        #expect(try await work.farm("merge", "--all").status == 0)
        let up = try await work.farm("up", "--until-idle", environment: Scene.impatient)
        #expect(up.status == 1, "\(up.error)")
        let rows = try await work.rows(
            "SELECT service, status, json_extract(data, '$.error.kind', '$.error.message') FROM postprocessing")
        #expect(rows.count == 1)
        #expect(
            rows.first?.hasPrefix("colors|error|[\"image\",") == true && rows.first?.contains("404") == true, "\(rows)")
        #expect(try await work.count("SELECT count(*) FROM consensus") == 1)
        try await doubles.stop()
    }

    @Test("a box partly outside of its photo is cropped to what is inside, one without area is dropped")
    func badBoxes() async throws {
        let work = try Workplace()
        let doubles = try await ServiceDoubles.misbehaving(["yolov8", "colors"], in: work)
        try work.configure(doubles.ports)
        try work.photos(["photos/boxes.jpg"])
        let run = try await work.farm("run", "photos", "--pictures", "out", environment: Scene.impatient)
        #expect(run.status == 1, "\(run.error)")
        #expect(
            try await work.rows("SELECT json_extract(merged_data, '$.label') FROM merged_boxes ORDER BY 1")
                == ["cup", "dog", "plane"], "spoon and fork have no area")
        let crops = try await work.rows(
            """
            SELECT json_extract(data, '$.label'), p.status,
                coalesce(json_extract(data, '$.crop'), json_extract(data, '$.error.message'))
            FROM postprocessing p ORDER BY 1
            """)
        #expect(
            crops == [
                #"cup|success|{"x":0.0,"y":0.0,"width":50.0,"height":100.0}"#,
                #"dog|success|{"x":300.0,"y":200.0,"width":100.0,"height":100.0}"#,
                "plane|error|box plane_1 lies outside the image",
            ])
        try await doubles.stop()
    }

    @Test("a message that is no job is a dead letter with the reason, and the worker goes on")
    func badMessages() async throws {
        let scene = try await Scene(["clip"], photos: 1)
        let bodies = [
            ("no JSON", "not JSON"), ("", "not JSON"), ("[1]", "not an object"), ("{}", "no image_id"),
            (#"{"image_id": "x"}"#, "not a positive whole number"), (#"{"image_id": 1.5}"#, "whole number"),
            (#"{"image_id": -1}"#, "positive"), (#"{"image_id": 4711}"#, "4711"),
            (#"{"image_id": \#(String(repeating: "[", count: 1000))"#, "not JSON"),
        ]
        for (body, _) in bodies {
            _ = try await scene.workplace.rows(
                "INSERT INTO farm_queue (queue, body, due_at) VALUES ('queue_clip', '\(body)', 0)")
        }
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        let work = scene.workplace
        let letters = try await work.rows("SELECT reason, message FROM farm_dead ORDER BY id")
        #expect(letters.count == bodies.count)
        for (letter, (body, reason)) in zip(letters, bodies) {
            #expect(letter.contains(reason) || body.count > 1000, "\(body.prefix(50)): \(letter)")
            #expect(letter.hasPrefix(body.contains("4711") ? "unknown_image" : "bad_message"))
        }
        #expect(try await work.rows("SELECT status FROM results") == ["success"], "the job behind them is done")
        #expect(try await work.count("SELECT count(*) FROM farm_queue") == 0)
        try await scene.doubles.stop()
    }
}

extension Workplace {
    /// The first half of a photo's bytes.
    func halfPhoto(_ name: String, of whole: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path(whole)))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: path(name)))
    }

    /// A PNG whose header says so many pixels a side; there are none.
    func giantPicture(_ name: String, side: UInt32) throws {
        let size = withUnsafeBytes(of: side.bigEndian, Array.init)
        let header = [UInt8]("\u{0}\u{0}\u{0}\u{D}IHDR".utf8) + size + size + [8, 2, 0, 0, 0, 0, 0, 0, 0]
        let mark: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        try Data(mark + header).write(to: URL(fileURLWithPath: path(name)))
    }
}
