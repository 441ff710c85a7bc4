import Foundation
import Model
import Testing

/// What an import has refused, is known with another place, or has moved since.
@Suite("What farm import remembers")
struct RefusedTests {
    private func refused(_ work: Workplace) async throws -> [String] {
        let list = try await work.farm("import", "--refused", "--json")
        #expect(list.status == 0, "\(list.error)")
        let places = try list.json().arrayValue?.compactMap { $0["place"]?.stringValue } ?? []
        return places.map { String($0.dropFirst(work.path("x").count - 1)) }
    }

    @Test("what was refused is listed with its reason, and show says it, until it is accepted")
    func remembered() async throws {
        let work = try Workplace()
        try work.photos(["photos/1.jpg"])
        try work.halfPhoto("photos/2.jpg", of: "photos/1.jpg")
        try work.write("list.csv", "image_path\n~/3.jpg\n/4.jpg\n")
        try work.write("note.txt", "nothing")
        let imported = try await work.farm("import", "photos", "list.csv", "note.txt", "missing.jpg")
        #expect(imported.status == 1, "a name that leads nowhere")
        #expect(try await refused(work) == ["photos/2.jpg", "list.csv:2", "note.txt"])
        let table = try await work.farm("import", "--refused")
        #expect(table.output.contains("photos/2.jpg") && table.output.contains("truncated or damaged JPEG"))
        let list = try await work.farm("import", "--refused", "--json").json()
        #expect(list.arrayValue?.first?.keys == ["place", "reason", "refused_at"])

        let shown = try await work.farm("show", "photos/2.jpg")
        #expect(shown.status == 1)
        #expect(shown.error.contains("photos/2.jpg was refused on 20"))
        #expect(shown.error.contains("Z: truncated or damaged JPEG"))
        #expect(try await work.farm("show", "photos/5.jpg").error.contains("no image photos/5.jpg"))

        try work.photos(["new.jpg"])
        try FileManager.default.removeItem(atPath: work.path("photos/2.jpg"))
        try FileManager.default.moveItem(atPath: work.path("new.jpg"), toPath: work.path("photos/2.jpg"))
        try work.write("list.csv", "image_path\n/3.jpg\n~/4.jpg\n")
        #expect(try await work.farm("import", "photos", "list.csv").status == 3)
        #expect(try await refused(work) == ["note.txt", "list.csv:3"])
        #expect(try await work.farm("show", "photos/2.jpg").status == 0)
    }

    @Test("what is gone, left out or no image any more is forgotten when its folder is read again, or its name")
    func forgotten() async throws {
        let work = try Workplace()
        try work.photos(["1.jpg"])
        try FileManager.default.createDirectory(atPath: work.path("photos"), withIntermediateDirectories: true)
        for name in ["gone", "text", "thumb", "stays"] { try work.halfPhoto("photos/\(name).jpg", of: "1.jpg") }
        try work.halfPhoto("named.jpg", of: "1.jpg")
        #expect(try await work.farm("import", "photos", "named.jpg").status == 3)
        #expect(try await refused(work).count == 5)
        try FileManager.default.removeItem(atPath: work.path("photos/gone.jpg"))
        try FileManager.default.removeItem(atPath: work.path("named.jpg"))
        try work.write("photos/text.jpg", "nothing")
        #expect(try await work.farm("import", "photos", "--exclude", "thumb*").status == 3)
        #expect(try await refused(work) == ["named.jpg", "photos/stays.jpg"])
        #expect(try await work.farm("import", "named.jpg").status == 1)
        #expect(try await refused(work) == ["photos/stays.jpg"])
    }

    @Test("a file that was whole and is damaged now: show warns of it")
    func damagedSince() async throws {
        let work = try Workplace()
        try work.photos(["1.jpg", "2.jpg"])
        #expect(try await work.farm("import", "1.jpg").status == 0)
        try work.halfPhoto("1.jpg", of: "2.jpg")
        #expect(try await work.farm("import", "1.jpg").status == 3)
        let shown = try await work.farm("show", "1.jpg")
        #expect(shown.status == 0)
        #expect(shown.error.contains("warning: \(work.path("1.jpg")) was refused on"))
    }

    @Test(
        "--refused and --moved stand alone",
        arguments: [
            ["--refused", "photos"], ["--refused", "--moved", "a=b"], ["--moved", "a=b", "photos"], ["--moved", "a"],
            ["--moved", "a=a"], ["--moved", "/=a"], ["--moved", "=a"], ["--exclude", "", "photos"],
            ["--exclude", "/", "photos"],
        ])
    func arguments(_ arguments: [String]) async throws {
        let work = try Workplace()
        let finished = try await work.farm(["import"] + arguments)
        #expect(finished.status == 2, "\(finished.error)")
        #expect(!FileManager.default.fileExists(atPath: work.path("farm.db")))
    }

    @Test("nothing refused is said, and is an empty list")
    func nothing() async throws {
        let work = try Workplace()
        let list = try await work.farm("import", "--refused", "--json")
        #expect(list.status == 0 && list.output == "[]\n")
        #expect(
            try await work.farm("import", "--refused").error
                == "farm: nothing was refused, or all of it was accepted since\n")
    }

    // MARK: Other places

    @Test("another URL for a known path is told, and written by --update")
    func update() async throws {
        let work = try Workplace()
        try work.photos(["photos/1.jpg", "photos/2.jpg"])
        #expect(try await work.farm("import", "photos").status == 0)
        let told = try await work.farm("import", "photos", "--url-prefix", "http://nas/p")
        #expect(told.status == 0)
        #expect(
            told.output
                == "0 added, 2 there already, 2 of them with another path or URL: --update writes it\n")
        #expect(told.error.contains("farm: image 1: URL http://nas/p/1.jpg is named, but none is stored"))
        let written = try await work.farm("import", "photos", "--url-prefix", "http://nas/p", "--update")
        #expect(written.output == "0 added, 2 there already, 2 updated\n")
        let again = try await work.farm("import", "photos", "--url-prefix", "http://nas/p/", "--update", "--json")
        #expect(try again.json()["updated"]?.integerValue == 0)
        #expect(
            try await work.rows("SELECT image_url FROM images ORDER BY 1") == [
                "http://nas/p/1.jpg", "http://nas/p/2.jpg",
            ])
    }

    @Test("--moved rewrites the paths of a renamed folder, with its results; again, nothing")
    func moved() async throws {
        let work = try Workplace()
        try work.photos(["old/1.jpg", "old/deep/2.jpg", "older/3.jpg"])
        #expect(try await work.farm("import", "old", "older").status == 0)
        try FileManager.default.moveItem(atPath: work.path("old"), toPath: work.path("new=er"))
        let moved = try await work.farm("import", "--moved", "old=new=er")
        #expect(moved.status == 0, "\(moved.error)")
        #expect(moved.output == "2 paths rewritten from \(work.path("old")) to \(work.path("new=er"))\n")
        let again = try await work.farm("import", "--moved", "old/=new=er/", "--json")
        #expect(again.status == 0 && again.error.contains("perhaps it was done before"))
        #expect(try again.json()["rewritten"]?.integerValue == 0)
        #expect(try await work.farm("import", "new=er", "older").output == "0 added, 3 there already\n")
    }

    @Test("--moved changes nothing where the new paths are other images already, and says how many")
    func taken() async throws {
        let work = try Workplace()
        try work.photos(["old/1.jpg", "old/2.jpg"])
        #expect(try await work.farm("import", "old").status == 0)
        try FileManager.default.moveItem(atPath: work.path("old"), toPath: work.path("new"))
        #expect(try await work.farm("import", "new").output == "2 added, 0 there already\n")
        let moved = try await work.farm("import", "--moved", "old=new")
        #expect(moved.status == 1)
        #expect(
            moved.error.contains(
                "2 paths below \(work.path("new")) would belong to two images, such as \(work.path("new/1.jpg"))"))
        #expect(try await work.count("SELECT count(*) FROM images WHERE image_path LIKE '%/old/%'") == 2)
    }
}
