import Foundation
import Testing

/// No output is written over an input.
@Suite("Outputs", .serialized)
struct OutputTests {
    private func bytes(_ workplace: Workplace, _ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: workplace.path(name)))
    }

    /// Two photos with what a detector and a classifier say of them.
    private func analysed() async throws -> Workplace {
        let scene = try await Scene(["yolov8", "clip", "colors", "face", "pose"], photos: 2)
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        try #require(up.status == 0, "\(up.error)")
        try await scene.doubles.stop()
        return scene.workplace
    }

    /// All ways to name the file photos/1.jpg.
    private static let names = [
        "photos/1.jpg", "./photos/../photos/1.jpg", "soft.jpg", "hard.jpg", "other/1.jpg", "dangling.jpg",
    ]

    @Test("show --picture writes over no photo, whatever it is called")
    func overPhoto() async throws {
        let work = try await analysed()
        let links = try await work.bash(
            "ln -s photos/1.jpg soft.jpg; ln photos/1.jpg hard.jpg; ln -s photos other; ln -s photos/2.jpg dangling.jpg"
        )
        #expect(links.status == 0)
        let photo = try bytes(work, "photos/1.jpg")
        for name in OutputTests.names where name != "dangling.jpg" {
            let shown = try await work.farm("show", "1", "--picture", name)
            #expect(shown.status == 1, "\(name)")
            #expect(shown.error.contains("\(name) is the path of image 1") || shown.error.contains("has not made"))
            #expect(try bytes(work, "photos/1.jpg") == photo)
        }
        // The photo is away for a moment, and still a photo's place.
        try FileManager.default.removeItem(atPath: work.path("photos/2.jpg"))
        for name in ["photos/2.jpg", "other/2.jpg"] {
            let shown = try await work.farm("show", "1", "--picture", name)
            #expect(shown.status == 1)
            #expect(shown.error.contains("\(name) is the path of image 2: no output is written over an image"))
        }
        let link = try await work.farm("show", "1", "--picture", "dangling.jpg")
        #expect(link.status == 1, "\(link.error)")
        #expect(!FileManager.default.fileExists(atPath: work.path("photos/2.jpg")))

        let forced = try await work.farm("show", "1", "--picture", "hard.jpg", "--force")
        #expect(forced.status == 0, "\(forced.error)")
        #expect(try bytes(work, "photos/1.jpg") == photo, "another name of it stays what it was")
        #expect(try bytes(work, "hard.jpg") != photo)
        #expect(try await work.farm("show", "1", "--picture", "photos/1.jpg", "--force").status == 0)
        #expect(try bytes(work, "photos/1.jpg") != photo)
    }

    @Test("a picture takes the place of a picture that farm has drawn, wherever that lies, and of no other file")
    func replacing() async throws {
        let work = try await analysed()
        for name in ["out.jpg", "out.png", "out.webp", "OUT.JPG"] {
            #expect(try await work.farm("show", "1", "--picture", name).status == 0)
            let first = try bytes(work, name)
            try FileManager.default.copyItem(atPath: work.path(name), toPath: work.path("copy-" + name))
            let second = try await work.farm("show", "2", "--picture", "copy-" + name)
            #expect(second.status == 0, "\(second.error)")
            #expect(try bytes(work, name) == first)
        }
        try work.photo("camera.png", as: "camera.png")
        try work.write("letter.webp", "a letter")
        for name in ["camera.png", "letter.webp"] {
            let before = try bytes(work, name)
            let shown = try await work.farm("show", "1", "--picture", name)
            #expect(shown.status == 1)
            #expect(shown.error.contains("\(name): there is a file already that farm has not made"))
            #expect(try bytes(work, name) == before)
            #expect(try await work.farm("show", "1", "--picture", name, "--force").status == 0)
            #expect(try bytes(work, name) != before)
        }
        // As mktemp makes it.
        try work.write("empty.jpg", "")
        #expect(try await work.farm("show", "1", "--picture", "empty.jpg").status == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: work.folder.path)
        #expect(left.filter { $0.hasSuffix(".part") }.isEmpty)
    }

    @Test("run with its pictures among the photos draws over none, and never imports what it has drawn")
    func amongPhotos() async throws {
        let scene = try await Scene(["yolov8", "clip", "colors", "face", "pose"], photos: 0)
        let work = scene.workplace
        try work.photos(["ph/1.jpg", "ph/deep/2.jpg"])
        let photo = try bytes(work, "ph/1.jpg")
        for pictures in ["ph/out", "ph", "ph/out"] {
            let run = try await work.farm("run", "ph", "--pictures", pictures, environment: Scene.impatient)
            #expect(run.status == 0, "\(run.error)")
            #expect(run.error.contains("2 annotated pictures in"))
            #expect(try await work.count("SELECT count(*) FROM images") == 2)
            #expect(try bytes(work, "ph/1.jpg") == photo)
        }
        // Known by themselves, under whatever name.
        try FileManager.default.moveItem(atPath: work.path("ph/out/1-1.jpg"), toPath: work.path("ph/holiday"))
        let imported = try await work.farm("import", "ph", "--json")
        #expect(imported.status == 0)
        #expect(try imported.json()["drawn"]?.integerValue == 4)
        #expect(try imported.json()["added"]?.integerValue == 0)
        let text = try await work.farm("import", "ph")
        #expect(text.output == "0 added, 2 there already, 4 pictures skipped: drawn by farm\n")
        let named = try await work.farm("import", "ph/holiday", "ph/1.jpg")
        #expect(named.status == 3)
        #expect(named.error.contains("ph/holiday: a picture that farm has drawn, not a photo"))
        #expect(named.output == "0 added, 1 there already, 1 refused\n")
        try await scene.doubles.stop()
    }

    @Test("a picture of run whose name is a photo's is refused, the others are drawn")
    func sameName() async throws {
        let scene = try await Scene(["yolov8", "clip", "colors", "face", "pose"], photos: 0)
        let work = scene.workplace
        // The first is an image, at the place of whose picture the second is; at the third's place lies a foreign photo.
        try work.photos(["ph/1.jpg", "ph/1-1.jpg", "ph/3.jpg", "out/3-3.jpg"])
        try #require(try await work.farm("import", "ph/1.jpg", "ph/1-1.jpg", "ph/3.jpg").status == 0)
        let photo = try bytes(work, "ph/1.jpg")
        let here = try await work.farm("run", "ph", "--pictures", "ph", environment: Scene.impatient)
        #expect(here.status == 1)
        #expect(here.error.contains("ph/1-1.jpg is the path of image 2"))
        #expect(here.error.contains("2 of 3 annotated pictures"))
        let there = try await work.farm("run", "ph", "--pictures", "out", environment: Scene.impatient)
        #expect(there.status == 1)
        #expect(there.error.contains("out/3-3.jpg: there is a file already that farm has not made"))
        #expect(there.error.contains("2 of 3 annotated pictures"))
        for name in ["ph/1.jpg", "ph/1-1.jpg", "ph/3.jpg", "out/3-3.jpg"] { #expect(try bytes(work, name) == photo) }

        let forced = try await work.farm("run", "ph", "--pictures", "out", "--force", environment: Scene.impatient)
        #expect(forced.status == 0, "\(forced.error)")
        #expect(try bytes(work, "out/3-3.jpg") != photo)
        try await scene.doubles.stop()
    }

    @Test("export writes over no file but an earlier export")
    func exports() async throws {
        let work = try await analysed()
        try work.write(".env", "LOG_FILE=farm.log\n")
        try work.write("farm.log", "a line\n")
        try work.write("list.csv", "image_path\nphotos/1.jpg\n")
        let others = ["list.csv", "photos/1.jpg", "service_config.json", "farm.db", ".env", "farm.log"]
        let before = try others.map { try bytes(work, $0) }
        for (name, bytes) in zip(others, before) {
            let export = try await work.farm("export", "--output", name)
            #expect(export.status == 1, "\(name)")
            #expect(export.error.contains(name))
            // The log may grow, and so may the database.
            #expect(try self.bytes(work, name).starts(with: name == "farm.db" ? bytes.prefix(16) : bytes))
        }
        for name in ["service_config.json", "farm.db", "./.env", "farm.log", "farm.db-journal"] {
            let forced = try await work.farm("export", "--output", name, "--force")
            #expect(forced.status == 1, "\(name)")
            #expect(forced.error.contains("no output is written over it"))
        }
        #expect(try await work.farm("export", "--output", "list.csv", "--force").status == 0)

        let exports = [
            ["boxes.json"], ["all.jsonl"], ["boxes.csv"], ["r.csv", "--what", "results"],
            ["e.csv", "--what", "enrichments"], ["c.csv", "--what", "consensus"],
        ]
        for arguments in exports {
            for _ in 0..<2 {
                let export = try await work.farm(["export", "--output"] + arguments)
                #expect(export.status == 0, "\(export.error)")
            }
            // Another export's place is an export's place.
            #expect(try await work.farm("export", "--format", "coco", "--output", arguments[0]).status == 0)
        }
    }
}
