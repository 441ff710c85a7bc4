import Foundation
import Model
import Testing

@Suite("farm export", .serialized)
struct ExportTests {
    /// Images with what the pipeline found in them; the last of them in a group of its own.
    private func analysed(photos: Int) async throws -> Workplace {
        let scene = try await Scene(photos: photos)
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        try #require(up.status == 0, "\(up.error)")
        try await scene.doubles.stop()
        _ = try await scene.workplace.rows("UPDATE images SET image_group = 'last' WHERE image_id = \(photos)")
        return scene.workplace
    }

    /// Many images with a box and a result each, without their pictures.
    /// - Parameter bytes: that each box and each result are larger than need be.
    private func filled(_ images: Int, bytes: Int = 0) async throws -> Workplace {
        let workplace = try Workplace()
        try #require(try await workplace.farm("init").status == 0)
        _ = try await workplace.rows(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(images))
            INSERT INTO images (image_filename, image_url) SELECT i || '.jpg', 'http://nas.local/' || i || '.jpg' FROM n;
            INSERT INTO merged_boxes (image_id, source_result_ids, merged_data, status) SELECT image_id, '[]', json_object(
                'label', 'label ' || (image_id % 80), 'merged_bbox',
                json_object('x', 1.5, 'y', 2, 'width', 30, 'height', 40), 'score', 0.5, 'note', hex(zeroblob(\(bytes / 2)))),
                'success' FROM images;
            INSERT INTO results (image_id, service, data, status) SELECT image_id, 'clip',
                json_object('predictions', json_array(), 'text', hex(zeroblob(\(bytes / 2)))), 'success' FROM images;
            DELETE FROM farm_stale;
            """)
        return workplace
    }

    @Test("COCO JSON is what pycocotools loads: boxes with scores, sorted categories, sizes where they are known")
    func coco() async throws {
        let workplace = try await analysed(photos: 3)
        try FileManager.default.removeItem(atPath: workplace.path("photos/2.jpg"))
        let export = try await workplace.farm("export", "--output", "boxes.json")
        #expect(export.status == 0, "\(export.error)")
        #expect(export.output.isEmpty)
        #expect(export.error.contains("3 images, 6 boxes in boxes.json"))
        let loaded = try await workplace.python(
            """
            import contextlib, io, json
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval
            with contextlib.redirect_stdout(io.StringIO()):
                coco = COCO("boxes.json")
                found = coco.loadRes([dict(a) for a in coco.dataset["annotations"]])
                judge = COCOeval(coco, found, "bbox")
                judge.evaluate(), judge.accumulate(), judge.summarize()
            dogs = coco.getAnnIds(catIds=coco.getCatIds(catNms=["dog"]))
            print(json.dumps({
                "images": sorted(coco.getImgIds()), "categories": coco.loadCats(coco.getCatIds()),
                "sizes": [(i.get("width"), i.get("height")) for i in coco.loadImgs([1, 2])],
                "dogs": [coco.anns[i]["bbox"] for i in dogs], "scores": [coco.anns[i]["score"] for i in dogs],
                "precision": judge.stats[0]}))
            """
        ).json()
        #expect(loaded["images"] == [1, 2, 3])
        #expect(loaded["categories"] == [["id": 1, "name": "dog"], ["id": 2, "name": "person"]])
        #expect(loaded["sizes"] == [[600, 400], [nil, nil]], "of a photo that is gone it is not known")
        // Of two equal confidences the box is the mean: 150, 100 and 150, 101.
        #expect(loaded["dogs"] == .array(Array(repeating: [150.0, 100.5, 80.0, 60.0], count: 3)))
        #expect(loaded["scores"] == [0.8, 0.8, 0.8])
        #expect(loaded["precision"]?.numberValue.map { abs($0 - 1) < 1e-9 } == true, "measured against itself")

        let again = try await workplace.farm("export")
        #expect(again.output == (try String(contentsOfFile: workplace.path("boxes.json"), encoding: .utf8)))
    }

    @Test("each image of COCO JSON has a file_name of its own, which leads from the common folder to its file")
    func fileNames() async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/a/1.jpg", "photos/b/1.jpg", "photos/b/c/2.jpg"])
        #expect(try await workplace.farm("import", "photos").status == 0)
        let export = try await workplace.farm("export").json()
        #expect(export["info"]?["image_folder"]?.stringValue == workplace.path("photos"))
        func names(_ export: JSON) -> [String] {
            (export["images"]?.arrayValue ?? []).compactMap { $0["file_name"]?.stringValue }
        }
        #expect(Set(names(export)) == ["a/1.jpg", "b/1.jpg", "b/c/2.jpg"])

        // What has no path, and a path that another program has written twice.
        _ = try await workplace.rows(
            """
            INSERT INTO images (image_filename, image_path, image_url) VALUES ('1.jpg', NULL, 'http://nas/x/1.jpg'),
                ('1.jpg', '', 'http://nas/y/1.jpg'), ('1.jpg', '\(workplace.path("photos/a/1.jpg"))', NULL)
            """)
        #expect(names(try await workplace.farm("export").json()).suffix(3) == ["1.jpg", "1_5.jpg", "a/1_6.jpg"])
        let loaded = try await workplace.python(
            """
            import contextlib, io, json, subprocess
            from pycocotools.coco import COCO
            open("boxes.json", "w").write(subprocess.run(["\(Program.url.path)", "export"], capture_output=True).stdout.decode())
            with contextlib.redirect_stdout(io.StringIO()):
                coco = COCO("boxes.json")
            names = [i["file_name"] for i in coco.loadImgs(coco.getImgIds())]
            print(json.dumps([len(names), len(set(names))]))
            """
        ).json()
        #expect(loaded == [6, 6])

        _ = try await workplace.rows("UPDATE images SET image_group = 'b' WHERE image_path LIKE '%/b/%'")
        let group = try await workplace.farm("export", "--group", "b").json()
        #expect(Set(names(group)) == ["1.jpg", "c/2.jpg"])
    }

    @Test("a turned photo has the size that its boxes are in")
    func turned() async throws {
        let workplace = try Workplace()
        for name in ["turned.jpg", "turned.png", "turned.heic"] {
            let fixture = Program.root.appending(path: "Tests/ImagingTests/Fixtures/\(name)").path
            try FileManager.default.copyItem(atPath: fixture, toPath: workplace.path(name))
        }
        #expect(try await workplace.farm("import", ".").status == 0)
        let images = try await workplace.farm("export").json()["images"]?.arrayValue ?? []
        #expect(images.count == 3)
        for image in images { #expect((image["width"], image["height"]) == (32, 48), "\(image)") }
    }

    @Test("JSON Lines have an image a line, as farm show has it")
    func lines() async throws {
        let workplace = try await analysed(photos: 2)
        let export = try await workplace.farm("export", "--format", "jsonl")
        #expect(export.status == 0, "\(export.error)")
        let lines = try export.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
        #expect(.array(lines) == (try await workplace.farm("show", "1", "2", "--json").json()))
        #expect(try await workplace.farm("export", "-o", "all.jsonl").status == 0)
        #expect(try String(contentsOfFile: workplace.path("all.jsonl"), encoding: .utf8) == export.output)
    }

    @Test(
        "CSV has a table of boxes, results, enrichments or votes",
        arguments: [
            ("boxes", 4, ["label": "dog", "score": "0.8", "x": "150.0", "services": "rtdetr yolov8"]),
            ("results", 10, ["service": "clip", "status": "success", "processing_time": "0.01"]),
            ("enrichments", 8, ["cluster_id": "dog_1", "service": "colors", "status": "success"]),
            ("consensus", 4, ["emoji": "🐶", "votes": "4", "services": "clip inception_v3 rtdetr yolov8"]),
        ] as [(String, Int, [String: String])])
    func tables(_ what: String, _ count: Int, _ first: [String: String]) async throws {
        let workplace = try await analysed(photos: 2)
        let export = try await workplace.farm("export", "--output", "table.csv", "--what", what)
        #expect(export.status == 0, "\(export.error)")
        #expect(export.error.contains("2 images, \(count) rows in table.csv"))
        let rows =
            try await workplace.python(
                "import csv, json; print(json.dumps(list(csv.DictReader(open('table.csv', newline='')))))"
            ).json().arrayValue ?? []
        #expect(rows.count == count)
        for (column, value) in first { #expect(rows.first?[column]?.stringValue == value, "\(column)") }
        #expect(rows.first?["image_filename"]?.stringValue == "1.jpg")
        let imported = try await workplace.farm("import", "table.csv", "--json").json()
        #expect(imported["existing"]?.integerValue == count, "its rows name images as an import does")
        #expect(imported["added"]?.integerValue == 0)
    }

    @Test("what is in a field is quoted where it must be")
    func quoting() async throws {
        let workplace = try Workplace()
        try workplace.write("list.csv", "image_filename,group\n\"a \"\"b\"\",\nc.jpg\",g\n")
        #expect(try await workplace.farm("import", "list.csv").status == 0)
        _ = try await workplace.rows(
            "INSERT INTO results (image_id, service, data, status) VALUES (1, 'clip', '{\"a\":\"x, y\"}', 'success')")
        let export = try await workplace.farm("export", "--format", "csv", "--what", "results")
        try workplace.write("table.csv", export.output)
        let row = try await workplace.python(
            "import csv, json; print(json.dumps(next(csv.DictReader(open('table.csv', newline='')))))"
        ).json()
        #expect(row["image_filename"]?.stringValue == "a \"b\",\nc.jpg")
        #expect(row["data"]?.stringValue == #"{"a":"x, y"}"#)
    }

    @Test("--group leaves out the others; no image is exit 1 and writes nothing")
    func groups() async throws {
        let workplace = try await analysed(photos: 2)
        let last = try await workplace.farm("export", "-g", "last").json()
        #expect(last["images"]?.arrayValue?.map { $0["id"]?.integerValue } == [2])
        #expect(Set(last["annotations"]?.arrayValue?.map { $0["image_id"]?.integerValue } ?? []) == [2])
        let none = try await workplace.farm("export", "--group", "other", "--output", "none.json")
        #expect(none.status == 1)
        #expect(none.error.contains("other"))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("none.json")))
        let empty = try await Workplace().farm("export")
        #expect(empty.status == 1)
        #expect(empty.output.isEmpty)
    }

    @Test("boxes of other programs that cannot be read are left out and told of")
    func foreignBoxes() async throws {
        let workplace = try await filled(3)
        _ = try await workplace.rows("UPDATE merged_boxes SET merged_data = '{\"label\":\"x\"}' WHERE image_id = 2")
        let export = try await workplace.farm("export")
        #expect(export.status == 0)
        #expect(try export.json()["annotations"]?.arrayValue?.count == 2)
        #expect(export.error.contains("1 row of merged_boxes left out"))
    }

    @Test("an interrupted export leaves the file as it was and nothing beside it", arguments: [SIGINT, SIGTERM])
    func interrupted(_ signal: Int32) async throws {
        let workplace = try await filled(20_000)
        try workplace.write("out/boxes.json", "of yesterday")
        // The shell watches, since this process may be too busy with other tests to look before the export has ended.
        let finished = try await workplace.bash(
            """
            set -m
            $FARM export --output out/boxes.json --force &
            until test "$(ls -A out | wc -l)" = 2 || ! kill -0 $!; do sleep 0.02; done
            kill -\(signal) $!
            wait $!
            """)
        #expect(finished.status == (signal == SIGINT ? 130 : 0))
        #expect(finished.error.contains("out/boxes.json is not written"))
        #expect(try workplace.files("out") == ["boxes.json"])
        #expect(try String(contentsOfFile: workplace.path("out/boxes.json"), encoding: .utf8) == "of yesterday")
    }

    @Test("a file that cannot be written is exit 1 and stays as it was")
    func unwritable() async throws {
        let workplace = try await filled(6000)
        try workplace.write("out/boxes.json", "of yesterday")
        // The system's limit of a file's size stands for a disk that is full.
        let full = try await workplace.bash(
            "trap '' XFSZ; ulimit -f 512; exec $FARM export --output out/boxes.json --force")
        #expect(full.status == 1)
        #expect(full.error.contains("out/boxes.json: cannot be written: File too large"))
        #expect(try workplace.files("out") == ["boxes.json"])
        #expect(try String(contentsOfFile: workplace.path("out/boxes.json"), encoding: .utf8) == "of yesterday")
        let folder = try await workplace.farm("export", "--output", "missing/boxes.json")
        #expect(folder.status == 1)
        #expect(folder.error.contains("missing/boxes.json: cannot be written: No such file"))
        let device = try await workplace.bash("$FARM export > /dev/full")
        #expect(device.status == 1)
        #expect(device.error.contains("standard output: cannot be written: No space left"))
        let special = try await workplace.farm("export", "--output", "/dev/null")
        #expect(special.status == 2)
        #expect(special.error.contains("/dev/null is no regular file"))
    }

    @Test("a link's target is written, and the link stays")
    func link() async throws {
        let workplace = try await filled(1)
        try workplace.write("real.json", "of yesterday")
        try FileManager.default.createSymbolicLink(
            atPath: workplace.path("link.json"), withDestinationPath: "real.json")
        #expect(try await workplace.farm("export", "--output", "link.json", "--force").status == 0)
        #expect(try String(contentsOfFile: workplace.path("real.json"), encoding: .utf8).hasPrefix("{\"info\""))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: workplace.path("link.json")) == "real.json")
    }

    @Test("a reader that wants no more is no failure")
    func reader() async throws {
        let workplace = try await filled(5000)
        let finished = try await workplace.bash("$FARM export --format csv | head -2; exit ${PIPESTATUS[0]}")
        #expect(finished.status == 0, "\(finished.error)")
        #expect(finished.output.split(separator: "\n").count == 2)
    }

    @Test("memory does not grow with the number of images", arguments: ["coco", "jsonl", "csv"])
    func memory(_ format: String) async throws {
        func kilobytes(_ images: Int) async throws -> Int {
            let finished = try await filled(images, bytes: 10_000).python(
                """
                import os, subprocess
                farm = subprocess.Popen([os.environ["FARM"], "export", "--format", "\(format)"], stdout=subprocess.DEVNULL)
                _, status, usage = os.wait4(farm.pid, 0)
                assert status == 0
                print(usage.ru_maxrss)
                """)
            return try #require(Int(finished.output.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        // Of the boxes alone, as of the results alone, it is 30 MB more.
        let (few, many) = (try await kilobytes(300), try await kilobytes(3300))
        #expect(many < few + 12_000, "\(few) kB for 300 images, \(many) kB for 3300")
    }

    @Test("--what is of csv alone; a format and a table that do not exist are refused with those that do")
    func choices() async throws {
        let workplace = try Workplace()
        let both = try await workplace.farm("export", "--format", "coco", "--what", "boxes")
        #expect(both.status == 2)
        #expect(both.error.contains("--what"))
        let format = try await workplace.farm("export", "--format", "xml")
        #expect(format.status == 2)
        for known in ["coco", "jsonl", "csv"] { #expect(format.error.contains(known)) }
        let table = try await workplace.farm("export", "--what", "votes")
        #expect(table.status == 2)
        for known in ["boxes", "results", "enrichments", "consensus"] { #expect(table.error.contains(known)) }
    }
}

extension Workplace {
    fileprivate func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
    }
}
