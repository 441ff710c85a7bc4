import Foundation
import Model
import Testing

@Suite("farm run", .serialized)
struct RunTests {
    @Test("it prints what was found, as data only; a second run asks nobody again")
    func findings() async throws {
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg", "photos/deep/2.jpg"])
        let run = try await work.farm("run", "photos", environment: Scene.impatient)
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("photos/1.jpg"))
        #expect(run.output.contains("photos/deep/2.jpg"))
        #expect(run.output.occurrences(of: "🐶") >= 2)
        #expect(run.output.contains("person 0.90 (rtdetr, yolov8)"))
        #expect(!run.output.contains("\u{1B}"))
        #expect(!run.output.contains("NOTICE"))
        #expect(run.error.contains("queue, store and heartbeats in farm.db"))

        for service in ["clip", "yolov8"] { #expect(try await scene.doubles.calls(of: service).begun == 2) }
        // Of a crop it may be more: the next merge of an image may trigger before the answer is stored.
        func calls() async throws -> [Int] {
            var calls: [Int] = []
            for service in Scene.services { calls.append(try await scene.doubles.calls(of: service).begun) }
            return calls
        }
        let before = try await calls()

        let again = try await work.farm("run", "photos", "--json", environment: Scene.impatient)
        #expect(again.status == 0, "\(again.error)")
        #expect(try again.json().arrayValue?.count == 2)
        #expect(try await calls() == before)
        try work.photos(["photos/3.jpg"])
        try work.photos(["photos/0.jpg"])
        let third = try await work.farm("run", "photos", environment: Scene.impatient)
        #expect(third.status == 0, "\(third.error)")
        #expect(try await scene.doubles.calls(of: "clip").begun == 4, "only the new ones")
        let names = ["photos/0.jpg", "photos/3.jpg", "photos/1.jpg", "photos/deep/2.jpg"].map(work.path)
        #expect(third.output.split(separator: "\n").map(String.init).filter(names.contains) == names, "new ones first")
        #expect(third.error.contains("2 of 4 images are new and come first"))
        try await scene.doubles.stop()
    }

    @Test("--pictures writes every photo into the folder, two of one name as well, and of names of any length")
    func pictures() async throws {
        let scene = try await Scene(["yolov8", "rtdetr", "colors", "face", "pose"], photos: 0)
        let work = scene.workplace
        try work.photos(["a/same.jpg", "b/same.jpg"])
        try work.photo("camera.png", as: "a/camera.png")
        // As long as a name can be: 255 bytes.
        let long = String(repeating: "n", count: 251)
        try work.photos(["a/\(long).jpg", "a/\(String(repeating: "🌻", count: 62)).jpg"])
        let run = try await work.farm("run", "a", "b", "--pictures", "out/annotated", environment: Scene.impatient)
        #expect(run.status == 0, "\(run.error)")
        #expect(run.error.contains("out/annotated"))
        let pictures = try FileManager.default.contentsOfDirectory(atPath: work.path("out/annotated"))
        #expect(pictures.count == 5)
        for picture in pictures {
            #expect(picture.utf8.count <= 143, "as encrypted folders on a NAS have it")
            let bytes = try Data(contentsOf: URL(fileURLWithPath: work.path("out/annotated/\(picture)")))
            #expect(Array(bytes.prefix(3)) == [0xFF, 0xD8, 0xFF])
        }
        try await scene.doubles.stop()
    }

    @Test("a photo that cannot be drawn stops no other, and is exit 1")
    func damagedPhoto() async throws {
        let scene = try await Scene(["yolov8", "clip", "colors", "face", "pose"], photos: 0)
        let work = scene.workplace
        try work.photos(["photos/b.jpg"])
        // Damaged, but there to its end: that comes out when it is decoded.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: work.path("photos/b.jpg")))
        bytes.replaceSubrange(bytes.count / 2..<bytes.count / 2 + 2000, with: Data(count: 2000))
        try bytes.write(to: URL(fileURLWithPath: work.path("photos/a.jpg")))
        let run = try await work.farm("run", "photos", "--pictures", "out", environment: Scene.impatient)
        #expect(run.status == 1)
        #expect(run.error.contains("no picture of \(work.path("photos/a.jpg"))"))
        #expect(run.error.contains("1 of 2 annotated pictures"))
        #expect(run.output.contains("photos/b.jpg"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: work.path("out")).count == 1)
        try await scene.doubles.stop()
    }

    @Test("what is no image is exit 1, and nobody is asked")
    func noImage() async throws {
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        try work.write("note.txt", "nothing")
        try work.write("empty/note.txt", "nothing")
        for path in ["note.txt", "empty", "missing"] {
            let run = try await work.farm("run", path)
            #expect(run.status == 1, "\(path)")
            #expect(run.error.contains(path))
            #expect(run.output.isEmpty)
        }
        #expect(try await scene.doubles.calls(of: "clip").begun == 0)
        try await scene.doubles.stop()
    }

    @Test("a named file that is no image among images: those are done, and the exit code is 3")
    func partly() async throws {
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        try work.photos(["1.jpg"])
        try work.write("note.txt", "nothing")
        let run = try await work.farm("run", "note.txt", "1.jpg", "--json", environment: Scene.impatient)
        #expect(run.status == 3)
        #expect(run.error.contains("note.txt"))
        #expect(try run.json().arrayValue?.count == 1)
        #expect(try await work.count("SELECT count(*) FROM results") == 1)
        try await scene.doubles.stop()
    }

    @Test("a box without a worker cannot run anything: exit 2")
    func noWorker() async throws {
        let workplace = try Workplace()
        try workplace.photos(["1.jpg"])
        try workplace.configure([("face", 1)])
        let run = try await workplace.farm("run", "1.jpg")
        #expect(run.status == 2)
        #expect(run.error.contains("service_config.json"))
    }

    @Test("an interrupted run exits 130, and the next one does the rest without asking twice")
    func interrupted() async throws {
        let scene = try await Scene(["clip", "inception_v3"], photos: 0, gate: true)
        let work = scene.workplace
        try work.photos((1...6).map { "photos/\($0).jpg" })
        let run = try work.start(["run", "photos"], environment: ["SHUTDOWN_TIMEOUT": "2"])
        try await eventually("calls are in flight") { try await scene.doubles.calls(of: "clip").begun > 0 }
        run.signal(SIGINT)
        let finished = try await run.finished()
        #expect(finished.status == 130)
        try scene.openGate()
        let again = try await work.farm("run", "photos", environment: Scene.impatient)
        #expect(again.status == 0, "\(again.error)")
        #expect(try await work.count("SELECT count(*) FROM results") == 12)
        #expect(try await work.count("SELECT count(*) FROM consensus") == 6)
        try await scene.doubles.stop()
    }
}
