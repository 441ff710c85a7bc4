import Foundation
import Model
import Testing

/// What import makes of the files of a folder.
@Suite("farm import of folders")
struct ImportFolderTests {
    private func names(_ work: Workplace) async throws -> [String] {
        try await work.rows("SELECT image_filename FROM images ORDER BY 1")
    }

    @Test("what NAS boxes and other systems put into folders is left out, unless it is named itself")
    func litter() async throws {
        let work = try Workplace()
        let litter = [
            "@eaDir", "#recycle", "#snapshot", "$RECYCLE.BIN", "$Recycle.Bin", "System Volume Information",
            "lost+found", "__MACOSX", "deep/@eaDir",
        ]
        try work.photos(["photos/1.jpg", "photos/deep/2.jpg", "photos/.hidden/3.jpg", "photos/Thumbs.db"])
        try work.photos(litter.map { "photos/\($0)/SYNOPHOTO_THUMB_XL.jpg" })
        let imported = try await work.farm("import", "photos")
        #expect(imported.status == 0, "\(imported.error)")
        #expect(imported.output == "2 added, 0 there already, 10 left out\n")
        #expect(try await names(work) == ["1.jpg", "2.jpg"])
        let told = try await work.farm("import", "photos", "--verbose")
        for name in litter + ["Thumbs.db"] {
            #expect(told.error.contains("farm: photos/\(name): left out: a system file\n"), "\(name)")
        }
        #expect(try await work.farm("import", "photos/#recycle").output.contains("1 added"))
    }

    @Test(
        "--exclude leaves out what its patterns name, and may be given several times",
        arguments: [
            (["*_thumb.jpg"], ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]), (["small"], ["1.jpg", "1_thumb.jpg", "4.jpg"]),
            (["small/"], ["1.jpg", "1_thumb.jpg", "4.jpg"]),
            (["1.jpg/"], ["1.jpg", "1_thumb.jpg", "2.jpg", "3.jpg", "4.jpg"]),
            (["a/small"], ["1.jpg", "1_thumb.jpg", "3.jpg", "4.jpg"]),
            (["/small"], ["1.jpg", "1_thumb.jpg", "2.jpg", "4.jpg"]), (["/a"], ["1.jpg", "1_thumb.jpg", "3.jpg"]),
            (["**/small/**"], ["1.jpg", "1_thumb.jpg", "4.jpg"]),
            (["small", "[14].jpg"], ["1_thumb.jpg"]), (["?.jpg"], ["1_thumb.jpg"]),
        ])
    func exclude(_ globs: [String], _ expected: [String]) async throws {
        let work = try Workplace()
        try work.photos([
            "photos/1.jpg", "photos/1_thumb.jpg", "photos/a/small/2.jpg", "photos/small/3.jpg", "photos/a/b/4.jpg",
        ])
        let imported = try await work.farm(["import", "photos", "--verbose"] + globs.flatMap { ["--exclude", $0] })
        #expect(imported.status == 0, "\(imported.error)")
        #expect(try await names(work) == expected)
        if expected.count < 5 { #expect(imported.error.contains("left out: --exclude \(globs[0])")) }
    }

    @Test("camera raw in a folder is passed over and told as such; one that is named is refused")
    func cameraRaw() async throws {
        let work = try Workplace()
        try work.photos(["photos/1.jpg", "photos/misnamed.nef"])
        let raw = Program.root.appending(path: "Tests/ImagingTests/Fixtures/raw.dng").path
        try FileManager.default.copyItem(atPath: raw, toPath: work.path("photos/2.DNG"))
        try work.write("photos/3.cr3", "\u{0}\u{0}\u{0}\u{18}ftypcrx ")
        try work.write("photos/4.RAF", "FUJIFILMCCD-RAW 0201")
        let imported = try await work.farm("import", "photos", "--json", "--verbose")
        #expect(imported.status == 0, "\(imported.error)")
        #expect(try imported.json()["camera_raw"]?.integerValue == 3)
        #expect(imported.error.contains("photos/2.DNG: camera raw (DNG)"))
        #expect(try await names(work) == ["1.jpg", "misnamed.nef"], "a JPEG is one, whatever its name")
        let text = try await work.farm("import", "photos")
        #expect(text.output == "0 added, 2 there already, 3 files skipped: camera raw\n")
        let named = try await work.farm("import", "photos/2.DNG")
        #expect(named.status == 3)
        #expect(named.error.contains("photos/2.DNG: camera raw (DNG), which farm does not read: export it as JPEG"))
    }

    @Test("a film of over 64 MiB is skipped as no image, whatever its size; a picture so large is refused")
    func film() async throws {
        let work = try Workplace()
        try work.photos(["photos/1.jpg"])
        let made = try await work.bash(
            """
            cd photos && printf '\\0\\0\\0\\x18ftypisom' > film.mp4 && cp 1.jpg large.jpg && truncate -s 70M film.mp4 large.jpg
            """)
        try #require(made.status == 0, "\(made.error)")
        let imported = try await work.farm("import", "photos")
        #expect(imported.status == 3)
        #expect(imported.output == "1 added, 0 there already, 1 file skipped: no image, 1 refused\n")
        #expect(imported.error == "farm: photos/large.jpg: 73400320 bytes, over the limit of 64 MiB\n")
    }

    @Test("--verbose tells every file that is not imported and why; without it the first faults only")
    func verbose() async throws {
        let work = try Workplace()
        try work.photos(["photos/1.jpg"])
        for number in 1...25 {
            try work.halfPhoto("photos/bad\(number).jpg", of: "photos/1.jpg")
            try work.write("photos/note\(number).txt", "nothing")
        }
        let short = try await work.farm("import", "photos")
        #expect(short.error.occurrences(of: "truncated or damaged JPEG") == 20)
        #expect(short.error.contains("… and 5 more"))
        #expect(!short.error.contains("note"))
        let long = try await work.farm("import", "photos", "--verbose")
        #expect(long.output == short.output.replacingOccurrences(of: "1 added, 0 there", with: "0 added, 1 there"))
        #expect(long.error.occurrences(of: "truncated or damaged JPEG") == 25)
        #expect(long.error.occurrences(of: ".txt: not an image") == 25)
    }

    @Test("photos that a link leads to as well are known by their own path, whatever the link is called")
    func linkedFolders() async throws {
        let work = try Workplace()
        try work.photos(["photos/m/1.jpg", "elsewhere/2.jpg"])
        #expect(try await work.farm("import", "photos").output == "1 added, 0 there already\n")
        for (link, target) in [("a", "m"), ("z", "m"), ("loop", ".."), ("b", "../elsewhere")] {
            try FileManager.default.createSymbolicLink(
                atPath: work.path("photos/\(link)"), withDestinationPath: target)
        }
        let again = try await work.farm("import", "photos")
        #expect(again.status == 0, "\(again.error)")
        let paths = try await work.rows("SELECT image_path FROM images ORDER BY image_id")
        #expect(paths == [work.path("photos/m/1.jpg"), work.path("photos/b/2.jpg")], "\(again.output)")
    }

    @Test("a file: URL names its path; `..` behind a link is read as the system reads it")
    func places() async throws {
        let work = try Workplace()
        try work.photos(["there/a b.jpg", "there/deep/2.jpg"])
        try FileManager.default.createSymbolicLink(
            atPath: work.path("link"), withDestinationPath: work.path("there/deep"))
        let imported = try await work.farm(
            "import", "file://\(work.path("there"))/a%20b.jpg", "link/../a b.jpg", "--json")
        #expect(imported.status == 0, "\(imported.error)")
        #expect(try imported.json()["added"]?.integerValue == 1)
        #expect(try imported.json()["existing"]?.integerValue == 1)
        #expect(try await work.rows("SELECT image_path FROM images").first?.hasSuffix("/there/a b.jpg") == true)
    }
}
