import Foundation
import Model
import Testing

@Suite("farm try", .serialized)
struct TryTests {
    /// Services that answer as the photo's name asks, in a workplace of their own.
    private func misbehaving(_ services: [String]) async throws -> (work: Workplace, doubles: ServiceDoubles) {
        let work = try Workplace()
        let doubles = try await ServiceDoubles.misbehaving(services, in: work)
        try work.configure(doubles.ports)
        return (work, doubles)
    }

    @Test("it shows the answer, the votes, the boxes, and what does not count with why; nothing is stored")
    func detector() async throws {
        let (work, doubles) = try await misbehaving(["yolov8"])
        try work.photos(["boxes.jpg"])
        let shown = try await work.farm("try", "yolov8", "boxes.jpg")
        #expect(shown.status == 0, "\(shown.error)")
        #expect(shown.error.isEmpty)
        #expect(shown.output.contains("\"label\":\"spoon\""), "the answer as it is")
        #expect(shown.output.contains("yolov8 at 127.0.0.1:\(try doubles.port("yolov8")), 0.010 s"))
        #expect(shown.output.contains("5 predictions, 3 boxes to merge"))
        #expect(shown.output.contains("votes: ☕, ✈, 🍴, 🐶, 🥄"))
        #expect(shown.output.contains(/1 +cup +☕ +0.900 +-50.0, -60.0, 100.0, 160.0/))
        #expect(shown.output.contains(/3 +a box without area/))
        #expect(shown.output.contains(/4 +a box without area/))
        #expect(!shown.output.contains("\u{1B}"))

        let json = try await work.farm("try", "yolov8", "boxes.jpg", "--json").json()
        #expect(
            json.keys == [
                "service", "address", "evidence", "processing_time", "votes", "boxes", "dropped", "answer",
            ])
        #expect(json["answer"]?["predictions"]?.arrayValue?.count == 5)
        #expect(json["boxes"]?.arrayValue?.map { $0["prediction"]?.integerValue } == [0, 1, 4])
        #expect(json["dropped"]?.arrayValue?.map { $0["prediction"]?.integerValue } == [2, 3])
        #expect(!FileManager.default.fileExists(atPath: work.path("farm.db")), "no backend is opened")
        try await doubles.stop()
    }

    @Test("a URL is handed over as it is; what the service says of it is told")
    func url() async throws {
        let (work, doubles) = try await misbehaving(["clip"])
        try work.photos(["served/1.jpg"])
        let pictures = "http://127.0.0.1:\(try doubles.port("clip"))/pictures"
        let shown = try await work.farm("try", "clip", "\(pictures)/1.jpg", "--json")
        #expect(shown.status == 0, "\(shown.error)")
        #expect(try shown.json()["votes"] == [["emoji": "🐶", "words": []]])
        let gone = try await work.farm("try", "clip", "\(pictures)/2.jpg")
        #expect(gone.status == 1)
        #expect(gone.error.contains("http: clip at 127.0.0.1:"))
        #expect(gone.error.contains("the picture's URL answers 404"))
        try await doubles.stop()
    }

    @Test(
        "whatever fails is exit 1 with its kind",
        arguments: [
            ("html", "not_json"), ("empty", "not_json"), ("nan", "not_json"), ("cut", "connection"),
            ("long", "too_large"), ("deep", "too_large"), ("list", "bad_answer"), ("text", "bad_answer"),
            ("error", "service_error"), ("absent", "http"), ("busy", "http"),
        ])
    func failures(_ name: String, _ kind: String) async throws {
        let (work, doubles) = try await misbehaving(["clip"])
        try work.photos(["\(name).jpg"])
        let shown = try await work.farm("try", "clip", "\(name).jpg")
        #expect(shown.status == 1)
        #expect(shown.output.isEmpty)
        #expect(shown.error.hasPrefix("farm: \(kind): clip at 127.0.0.1:"), "\(shown.error)")
        #expect(shown.error.split(separator: "\n").count == 1, "in one line")
        let json = try await work.farm("try", "clip", "\(name).jpg", "--json")
        #expect(json.status == 1)
        #expect(try json.json()["error"]?["kind"]?.stringValue == kind)
        #expect(try json.json()["error"]?["tries"]?.integerValue == 1, "it is called once")
        try await doubles.stop()
    }

    @Test("a service that is down, a photo that is none, a transport that does not fit: each says so")
    func otherFailures() async throws {
        let work = try Workplace()
        let port = try #require(try ServiceDoubles.freePorts(1).first)
        try work.write(
            "service_config.json",
            """
            {"services": {"clip": {"host": "127.0.0.1", "port": \(port)},
                          "by_file": {"host": "127.0.0.1", "port": \(port), "transport": "file"},
                          "by_url": {"host": "127.0.0.1", "port": \(port), "transport": "url"}}}
            """)
        try work.photos(["1.jpg"])
        try work.write("note.txt", "no picture")
        try work.write("empty.jpg", "")
        let cases = [
            (["clip", "1.jpg"], "connection: clip at 127.0.0.1:\(port) is down: connection refused"),
            (["clip", "none.jpg"], "image: none.jpg: cannot be read: No such file"),
            (["clip", "note.txt"], "image: note.txt: not an image"),
            (["clip", "empty.jpg"], "image: empty.jpg: the file is empty"),
            (["clip", "."], "image: .: cannot be read: Is a directory"),
            (["by_file", "http://nas.local/1.jpg"], "image: http://nas.local/1.jpg: by_file is handed files only"),
            (["by_url", "1.jpg"], "image: 1.jpg: by_url is handed URLs only"),
        ]
        for (arguments, message) in cases {
            let shown = try await work.farm(["try"] + arguments)
            #expect(shown.status == 1)
            #expect(shown.output.isEmpty)
            #expect(shown.error.contains(message), "\(shown.error)")
        }
    }

    @Test("a picture that the service does not read is posted as JPEG, as a worker posts it")
    func accepts() async throws {
        let (work, doubles) = try await misbehaving(["clip", "blip"])
        let ports = Dictionary(uniqueKeysWithValues: doubles.ports.map { ($0.service, $0.port) })
        try work.write(
            "service_config.json",
            """
            {"services": {"clip": {"host": "127.0.0.1", "port": \(ports["clip"] ?? 0)},
                          "blip": {"host": "127.0.0.1", "port": \(ports["blip"] ?? 0), "accepts": ["image/tiff"]}}}
            """)
        let tiff = Program.root.appending(path: "Tests/ImagingTests/Fixtures/turned.tiff")
        try FileManager.default.copyItem(at: tiff, to: work.folder.appending(path: "told.tiff"))
        func posted(_ service: String) async throws -> JSON? {
            let shown = try await work.farm("try", service, "told.tiff", "--json")
            #expect(shown.status == 0, "\(shown.error)")
            return try shown.json()["answer"]?["predictions"]?.arrayValue?.first
        }
        let jpeg = try #require(try await posted("clip"))
        #expect(jpeg["begins"] == "ffd8ff")
        #expect(jpeg["posted"]?.stringValue?.contains(#"filename="told.jpg""#) == true)
        #expect(jpeg["posted"]?.stringValue?.contains("Content-Type: image/jpeg") == true)
        let asIs = try #require(try await posted("blip"))
        #expect(asIs["posted"]?.stringValue?.contains(#"filename="told.tiff""#) == true)
        #expect(asIs["posted"]?.stringValue?.contains("Content-Type: image/tiff") == true)
        try await doubles.stop()
    }

    @Test("Ctrl-C ends a call that hangs")
    func interrupted() async throws {
        let work = try Workplace()
        try work.write("gate", "")
        let doubles = try await ServiceDoubles.start(["clip"], gate: "gate", in: work)
        try work.configure(doubles.ports)
        try work.photos(["1.jpg"])
        let running = try work.start(["try", "clip", "1.jpg"])
        try await eventually("the call is in flight") { try await doubles.calls(of: "clip").begun == 1 }
        running.signal(SIGINT)
        let finished = try await running.finished()
        #expect(finished.status == 130)
        #expect(finished.output.isEmpty)
        try await doubles.stop()
    }
}
