import Foundation
import Model
import Testing

@Suite("farm import")
struct ImportTests {
    @Test("a folder is searched recursively, files that are no images are skipped and counted")
    func folder() async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg", "photos/deep/er/2.jpg", "photos/no suffix"])
        try workplace.photo("camera.png", as: "photos/3.png")
        try workplace.write("photos/notes.txt", "nothing")
        try workplace.write("photos/deep/fake.jpg", "no JPEG")
        let first = try await workplace.farm("import", "photos", "--json")
        #expect(first.status == 0, "\(first.error)")
        #expect(
            try first.json() == [
                "added": 4, "existing": 0, "moved": 0, "updated": 0, "differing": 0, "skipped": 2, "drawn": 0,
                "camera_raw": 0, "left_out": 0, "refused": 0, "assigned": 0,
            ])
        #expect(
            try await workplace.rows("SELECT image_path FROM images ORDER BY image_path").map(workplace.below)
                == ["photos/1.jpg", "photos/3.png", "photos/deep/er/2.jpg", "photos/no suffix"])
        #expect(
            try await workplace.rows("SELECT image_filename FROM images WHERE image_path LIKE '%er/2.jpg'") == ["2.jpg"]
        )

        let again = try await workplace.farm("import", "photos/", "./photos/1.jpg", workplace.path("photos/3.png"))
        #expect(again.status == 0)
        #expect(again.output.contains("0 added, 6 there already"))
        #expect(again.output.contains("2 files skipped: no image"))
        #expect(try await workplace.count("SELECT count(*) FROM images") == 4)
    }

    @Test("a truncated or too large image in a folder is named and refused, exit 3; the rest is imported")
    func badImagesInFolder() async throws {
        let work = try Workplace()
        try work.photos(["photos/1.jpg", "photos/2.jpg"])
        try work.write("photos/notes.txt", "nothing")
        try work.write("photos/keep", "")
        try work.giantPicture("photos/giant.png", side: 30_000)
        try work.halfPhoto("photos/half.jpg", of: "photos/1.jpg")
        let finished = try await work.farm("import", "photos")
        #expect(finished.status == 3)
        #expect(finished.output.contains("2 added, 0 there already, 2 files skipped: no image, 2 refused"))
        #expect(finished.error.contains("photos/half.jpg: truncated or damaged JPEG"))
        #expect(finished.error.contains("photos/giant.png: 30000 × 30000 pixels, over the limit"))
    }

    @Test("a named file that is no image is exit 3, a name that leads nowhere exit 1; the rest is imported")
    func namedFile() async throws {
        let workplace = try Workplace()
        try workplace.photos(["1.jpg", "2.jpg"])
        try workplace.write("fake.jpg", "no JPEG")
        #expect(try await workplace.farm("import", "1.jpg", "fake.jpg", "2.jpg").status == 3)
        #expect(try await workplace.count("DELETE FROM images; SELECT count(*) FROM images") == 0)
        let finished = try await workplace.farm("import", "1.jpg", "fake.jpg", "missing.jpg", "2.jpg")
        #expect(finished.status == 1)
        #expect(finished.output.contains("2 added"))
        #expect(finished.output.contains("2 refused"))
        #expect(finished.error.contains("fake.jpg"))
        #expect(finished.error.contains("missing.jpg: no such file"))
        #expect(try await workplace.count("SELECT count(*) FROM images") == 2)
    }

    @Test("a CSV list with a BOM, CR LF, quotes and line breaks in fields is read; running it twice adds nothing")
    func list() async throws {
        let workplace = try Workplace()
        let lines = [
            "image_path,image_url,image_filename,image_group,note",
            #"pictures/a.jpg,,,first,"said ""hello"", twice""#,
            #","http://nas.local/b,c.jpg",,,"two"# + "\r\n" + #"lines""#,
            "",
            #""/srv/with ""quotes"".jpg",,"other name.jpg",,"#,
            ",,only-a-name.jpg,,",
        ]
        try workplace.write("list.csv", "\u{FEFF}" + lines.joined(separator: "\r\n") + "\r\n")
        let first = try await workplace.farm("import", "list.csv", "--group", "rest", "--json")
        #expect(first.status == 0, "\(first.error)")
        #expect(try first.json()["added"]?.integerValue == 4)
        let rows = try await workplace.rows(
            "SELECT coalesce(image_path, ''), coalesce(image_url, ''), image_filename, image_group FROM images ORDER BY image_id"
        )
        #expect(
            rows == [
                "\(workplace.absolute("pictures/a.jpg"))||a.jpg|first", "|http://nas.local/b,c.jpg|b,c.jpg|rest",
                #"/srv/with "quotes".jpg||other name.jpg|rest"#, "||only-a-name.jpg|rest",
            ])
        let again = try await workplace.farm("import", "list.csv", "--json")
        #expect(try again.json()["added"]?.integerValue == 0)
        #expect(try again.json()["existing"]?.integerValue == 4)
        #expect(try await workplace.count("SELECT count(*) FROM images") == 4)
    }

    @Test("a bad line of a CSV list is refused with its number, the rest is imported")
    func badLine() async throws {
        let workplace = try Workplace()
        try workplace.write(
            "list.csv", "image_path,image_url\n/a.jpg,\n/b.jpg\n,ftp://x/c.jpg\n,\n\"/d\n.jpg\",\n/e.jpg,,\n/f.jpg,\n")
        let finished = try await workplace.farm("import", "list.csv")
        #expect(finished.status == 3)
        for line in [3, 4, 5, 8] { #expect(finished.error.contains("list.csv:\(line):"), "line \(line)") }
        #expect(finished.error.occurrences(of: "list.csv:") == 4)
        #expect(finished.output.contains("3 added"))
        #expect(finished.output.contains("4 refused"))
    }

    @Test("a path of 10,000 characters, a NUL byte, a record of over a megabyte: refused with their lines")
    func absurdLines() async throws {
        let workplace = try Workplace()
        let long = String(repeating: "a/", count: 5000)
        try workplace.write("list.csv", "image_path\n/a.jpg\n/\(long)b.jpg\n/c\u{0}.jpg\n/d.jpg\n")
        let finished = try await workplace.farm("import", "list.csv")
        #expect(finished.status == 3)
        #expect(finished.error.contains("list.csv:3: a path of 10006 bytes; 4096 at most"))
        #expect(finished.error.contains("list.csv:4: a NUL byte"))
        #expect(finished.output.contains("2 added"))
        #expect(finished.output.contains("2 refused"))

        try workplace.write("huge.csv", "image_path\n/e.jpg\n/\(String(repeating: "x", count: 1 << 21))\n/f.jpg\n")
        let huge = try await workplace.farm("import", "huge.csv")
        #expect(huge.status == 3)
        #expect(huge.error.contains("huge.csv:3: a record of over 1 MiB: nothing from there on was read"))
        #expect(huge.output.contains("1 added"), "what came before it is imported")
        try (Data("image_path\n/g.jpg\n".utf8) + [0x2F, 0xE9, 0x0A] + Data("/h.jpg\n".utf8))
            .write(to: URL(fileURLWithPath: workplace.path("latin.csv")))
        let latin = try await workplace.farm("import", "latin.csv")
        #expect(latin.status == 3)
        #expect(latin.error.contains("latin.csv:3: not UTF-8"))
        #expect(latin.output.contains("2 added"), "what stands around it is imported: \(latin.output)")
    }

    @Test("a URL is taken as it is; twice adds nothing")
    func urls() async throws {
        let workplace = try Workplace()
        let url = "http://nas.local/p/a%20b.jpg?size=full"
        let first = try await workplace.farm("import", url, "https://nas.local/2.jpg", url, "--group", "g", "--json")
        #expect(first.status == 0, "\(first.error)")
        #expect(try first.json()["added"]?.integerValue == 2)
        #expect(try first.json()["existing"]?.integerValue == 1)
        #expect(
            try await workplace.rows("SELECT image_filename, image_url, image_path, image_group FROM images") == [
                "a b.jpg|\(url)||g", "2.jpg|https://nas.local/2.jpg||g",
            ])
        let bad = try await workplace.farm("import", "ftp://nas.local/1.jpg", "http:///1.jpg")
        #expect(bad.status == 1)
        #expect(bad.error.contains("ftp://nas.local/1.jpg: no such file or folder"))
        #expect(try await workplace.count("SELECT count(*) FROM images") == 2)
    }

    @Test(
        "what is no CSV list is refused with its line",
        arguments: [
            ("", 1), ("/a.jpg\n/b.jpg\n", 1), ("image_path\n/a.jpg\n\"/b.jpg\n", 3), ("image_path\n\"/a\"b\n", 2),
        ])
    func noList(_ text: String, _ line: Int) async throws {
        let workplace = try Workplace()
        try workplace.write("list.csv", text)
        let finished = try await workplace.farm("import", "list.csv")
        #expect(finished.status == 3)
        #expect(finished.error.contains("list.csv:\(line):"))
    }

    @Test("--group names the group; --move puts images that are there into another; --existing fills in what has none")
    func groups() async throws {
        let workplace = try Workplace()
        try workplace.photos(["a/1.jpg", "a/2.jpg", "b/3.jpg"])
        func groups() async throws -> [String] {
            try await workplace.rows("SELECT coalesce(image_group, 'none') FROM images ORDER BY image_id")
        }
        #expect(try await workplace.farm("import", "a", "--group", "first").status == 0)
        #expect(try await workplace.farm("import", "b").status == 0)
        #expect(try await groups() == ["first", "first", "none"])

        let unmoved = try await workplace.farm("import", "a", "--group", "second")
        #expect(unmoved.output.contains("2 there already"))
        #expect(try await groups() == ["first", "first", "none"])

        let moved = try await workplace.farm("import", "a/2.jpg", "--group", "second", "--move", "--json")
        #expect(try moved.json()["moved"]?.integerValue == 1)
        #expect(try await groups() == ["first", "second", "none"])

        let existing = try await workplace.farm("import", "--existing", "--group", "third", "--json")
        #expect(existing.status == 0, "\(existing.error)")
        #expect(try existing.json()["assigned"]?.integerValue == 1)
        #expect(try await groups() == ["first", "second", "third"])
    }

    @Test(
        "--url-prefix makes URLs of the paths below the folder, joined by exactly one slash, each part percent-encoded",
        arguments: ["http://nas.local/p", "http://nas.local/p/", "http://nas.local/p//"])
    func prefix(_ prefix: String) async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/ä/a b#1?%.jpg", "photos/1+1.jpg", "photos/2.jpg"])
        #expect(try await workplace.farm("import", "photos", "--url-prefix", prefix).status == 0)
        #expect(
            try await workplace.rows("SELECT image_url FROM images ORDER BY image_url")
                == [
                    "http://nas.local/p/%C3%A4/a%20b%231%3F%25.jpg", "http://nas.local/p/1%2B1.jpg",
                    "http://nas.local/p/2.jpg",
                ])
        #expect(try await workplace.count("SELECT count(*) FROM images WHERE image_path IS NOT NULL") == 3)
    }

    @Test("a URL that is named with --url-prefix is refused, remembered as it is until it is imported without")
    func prefixAndURL() async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg"])
        let url = "http://elsewhere/2.jpg"
        let imported = try await workplace.farm("import", "photos", url, "--url-prefix", "http://nas/p")
        #expect(imported.status == 3)
        #expect(imported.output == "1 added, 0 there already, 1 refused\n")
        #expect(imported.error == "farm: \(url): --url-prefix cannot be used for an image named by its URL\n")
        let refused = try await workplace.farm("import", "--refused", "--json").json()
        #expect(refused.arrayValue?.compactMap { $0["place"]?.stringValue } == [url])
        #expect(try await workplace.farm("import", url).output == "1 added, 0 there already\n")
        #expect(try await workplace.farm("import", "--refused", "--json").json().arrayValue?.isEmpty == true)
    }

    @Test(
        "a --url-prefix that is no http URL, or behind which no path can stand, is refused before anything is loaded",
        arguments: ["nas.local/p/", "http:///p", "http://nas.local/get?file=", "http://nas.local/#p"])
    func badPrefix(_ prefix: String) async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg"])
        let finished = try await workplace.farm("import", "photos", "--url-prefix", prefix)
        #expect(finished.status == 2)
        #expect(finished.error.contains("--url-prefix"))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("farm.db")))
    }
}

extension Workplace {
    /// As the program makes paths absolute: through no symlink.
    fileprivate func absolute(_ name: String) -> String { folder.appending(path: name).standardizedFileURL.path }

    fileprivate func below(_ path: String) -> String { String(path.dropFirst(absolute("").count + 1)) }
}
