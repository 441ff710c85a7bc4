import Foundation
import Model
import Testing

/// What people write into lists.
@Suite("farm import of lists")
struct ImportCSVTests {
    @Test("lines that end with CR alone are lines, also beside others", arguments: ["\r", "\n", "\r\n"])
    func lineEnds(_ end: String) async throws {
        let work = try Workplace()
        let lines = ["image_path,note", "/a.jpg,", "", #""/b.jpg","two"# + end + #"lines""#, "/c.jpg", "/d.jpg,"]
        try work.write("list.csv", lines.joined(separator: end) + end)
        let imported = try await work.farm("import", "list.csv")
        #expect(imported.status == 3)
        #expect(imported.output == "3 added, 0 there already, 1 refused\n")
        #expect(imported.error == "farm: list.csv:6: 1 fields, the header has 2\n")
        #expect(
            try await work.rows("SELECT image_path FROM images ORDER BY 1") == ["/a.jpg", "/b.jpg", "/d.jpg"])
    }

    @Test("image_path may be a URL or a file: URL")
    func urls() async throws {
        let work = try Workplace()
        try work.write(
            "list.csv",
            """
            image_path,image_url
            http://nas.local/a%20b.jpg,
            HTTPS://nas.local/c.jpg,HTTPS://nas.local/c.jpg
            file:///srv/a%20b.jpg,
            file://localhost/srv/c.jpg,http://nas.local/d.jpg
            ~backup.jpg,
            """)
        let imported = try await work.farm("import", "list.csv")
        #expect(imported.status == 0, "\(imported.error)")
        #expect(
            try await work.rows(
                "SELECT coalesce(image_path, ''), coalesce(image_url, ''), image_filename FROM images ORDER BY image_id"
            )
                == [
                    "|http://nas.local/a%20b.jpg|a b.jpg", "|HTTPS://nas.local/c.jpg|c.jpg", "/srv/a b.jpg||a b.jpg",
                    "/srv/c.jpg|http://nas.local/d.jpg|c.jpg", "\(work.path("~backup.jpg"))||~backup.jpg",
                ])
    }

    @Test(
        "a path that only a shell, Windows or another program understands is refused with its line",
        arguments: [
            ("~", "only a shell"), ("~/Pictures/a.jpg", "only a shell"), ("~anna/a.jpg", "only a shell"),
            (#"C:\photos\a.jpg"#, "Windows"), ("d:/photos/a.jpg", "Windows"), (#"\\nas\photos\a.jpg"#, "Windows"),
            (#"photos\a.jpg"#, "Windows"), ("file:///C:/photos/a.jpg", "Windows"),
            ("file://nas/photos/a.jpg", "another machine (nas)"),
            ("s3://bucket/a.jpg", "s3:// is no http or https URL"),
            ("ftp://nas/a.jpg", "ftp:// is no http or https URL"), ("http:///a.jpg", "with a host"),
            ("file:///a%00.jpg", "file: URL"), ("file:///%ff.jpg", "file: URL"),
            ("file:rel.jpg", "file: URL"), ("http:/x/y.jpg", "http: is no http or https URL"),
            ("S3:bucket/a.jpg", "S3: is no http or https URL"), ("C:x.jpg", "Windows"), ("c:", "Windows"),
        ])
    func strange(_ path: String, _ reason: String) async throws {
        let work = try Workplace()
        try work.write("list.csv", "image_path\n/a.jpg\n\(path)\n/b.jpg\n")
        let imported = try await work.farm("import", "list.csv")
        #expect(imported.status == 3)
        #expect(imported.output == "2 added, 0 there already, 1 refused\n")
        #expect(imported.error.hasPrefix("farm: list.csv:3: ") && imported.error.contains(reason), "\(imported.error)")
    }

    @Test("two URLs for one image are refused")
    func twoURLs() async throws {
        let work = try Workplace()
        try work.write("list.csv", "image_path,image_url\nhttp://h/a.jpg,http://h/b.jpg\n")
        let imported = try await work.farm("import", "list.csv")
        #expect(imported.status == 3 && imported.error.contains("list.csv:2: image_path and image_url are two URLs"))
    }

    @Test("a file whose name has a backslash is one")
    func backslash() async throws {
        let work = try Workplace()
        try work.photos([#"a\b.jpg"#])
        try work.write("list.csv", "image_path\na\\b.jpg\n")
        #expect(try await work.farm("import", "list.csv").output == "1 added, 0 there already\n")
    }

    @Test("a name with a colon is one, where no drive or scheme stands before it")
    func colons() async throws {
        let work = try Workplace()
        try work.write("list.csv", "image_path\n12:30.jpg\nab:c.jpg\n./C:x.jpg\n./http:y.jpg\nfiles:z.jpg\n")
        let imported = try await work.farm("import", "list.csv")
        #expect(imported.output == "5 added, 0 there already\n", "\(imported.error)")
        #expect(
            try await work.rows("SELECT image_path FROM images ORDER BY image_id")
                == ["12:30.jpg", "ab:c.jpg", "C:x.jpg", "http:y.jpg", "files:z.jpg"].map(work.path))
    }

    @Test("`..` behind a link is read as the system reads it")
    func links() async throws {
        let work = try Workplace()
        try work.photos(["there/1.jpg", "there/deep/2.jpg"])
        try FileManager.default.createSymbolicLink(
            atPath: work.path("link"), withDestinationPath: work.path("there/deep"))
        try work.write("list.csv", "image_path\nlink/../1.jpg\nlink/2.jpg\n")
        #expect(try await work.farm("import", "list.csv").status == 0)
        let paths = try await work.rows("SELECT image_path FROM images ORDER BY 1")
        #expect(paths.contains { $0.hasSuffix("/there/1.jpg") } && paths.contains(work.path("link/2.jpg")), "\(paths)")
    }

    @Test("--url-prefix says where the list's folder is; a line of which it can say nothing is refused")
    func prefix() async throws {
        let work = try Workplace()
        try work.write(
            "lists/list.csv",
            """
            image_path,image_url,image_filename
            a/b c.jpg,,
            \(work.path("lists/d.jpg")),,
            e.jpg,http://elsewhere/e.jpg,
            ,,f#.jpg
            /srv/g.jpg,,
            ../h.jpg,,
            """)
        let imported = try await work.farm("import", "lists/list.csv", "--url-prefix", "http://nas/p")
        #expect(imported.status == 3)
        for line in [6, 7] {
            #expect(imported.error.contains("lists/list.csv:\(line): --url-prefix cannot be used for a path"))
        }
        #expect(
            try await work.rows("SELECT image_url FROM images ORDER BY image_id") == [
                "http://nas/p/a/b%20c.jpg", "http://nas/p/d.jpg", "http://elsewhere/e.jpg", "http://nas/p/f%23.jpg",
            ])
    }

    @Test("a list in which --url-prefix can say nothing of any line is refused with it")
    func prefixOfURLs() async throws {
        let work = try Workplace()
        try work.write("list.csv", "image_url,image_group\nhttp://elsewhere/a.jpg,g\n")
        let refused = try await work.farm("import", "list.csv", "--url-prefix", "http://nas/p")
        #expect(refused.status == 3)
        #expect(refused.output == "0 added, 0 there already, 1 refused\n")
        #expect(
            refused.error
                == "farm: list.csv:1: --url-prefix cannot be used for a list without image_path and image_filename\n")
        #expect(try await work.farm("import", "list.csv").output == "1 added, 0 there already\n")
    }

    @Test(
        "a list in another encoding, or with other separators, is told as such",
        arguments: [
            (#"image_path;image_url\n/a.jpg;\n"#, "separated by semicolons"),
            (#"image_path\timage_url\n/a.jpg\t\n"#, "separated by tabs"),
            (#"\xff\xfei\0m\0a\0g\0e\0_\0p\0a\0t\0h\0\n\0"#, "not UTF-8: save the list as UTF-8"),
        ])
    func otherLists(_ text: String, _ reason: String) async throws {
        let work = try Workplace()
        let made = try await work.bash("printf '\(text)' > list.csv")
        try #require(made.status == 0)
        let imported = try await work.farm("import", "list.csv")
        #expect(imported.status == 3)
        #expect(imported.error.contains("list.csv:1: ") && imported.error.contains(reason), "\(imported.error)")
    }
}
