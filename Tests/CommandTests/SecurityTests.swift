import Foundation
import Model
import Testing

/// What docs/security.md promises, as a user of the program sees it.
@Suite("What others can put into farm")
struct SecurityTests {
    private static let hostile =
        "\u{1B}[31mred\u{1B}[0m\u{1B}[2J\u{1B}]0;owned\u{7}\u{9B}31m\u{202E}gpj.x\nfarm: all is well\r"

    // MARK: Files

    @Test(
        "farm.db and what SQLite puts beside it are for its owner alone, the mode of a file that is there stays; no socket has a name"
    )
    func modes() async throws {
        let scene = try await Scene(["clip"], photos: 1, gate: true)
        try await scene.produce()
        let running = try scene.workplace.start(["up"], environment: Scene.impatient)
        try await scene.workplace.started(running, "clip")
        for name in ["farm.db", "farm.db-wal", "farm.db-shm"] {
            #expect(try scene.workplace.mode(name) == 0o600, "\(name)")
        }
        #expect(try namedSockets(of: running.pid) == [])
        running.signal(SIGTERM)
        _ = try await running.finished()
        try await scene.doubles.stop()
        #expect(chmod(scene.workplace.path("farm.db"), 0o660) == 0)
        #expect(try await scene.workplace.farm("status").status == 0)
        #expect(try scene.workplace.mode("farm.db") == 0o660)
    }

    @Test("Pictures are written into their folder and nowhere else, whatever a row says of the filename")
    func pictures() async throws {
        let scene = try await Scene(["yolov8", "rtdetr", "colors", "face", "pose"], photos: 0)
        let work = scene.workplace
        try work.photos(["photos/1.jpg"])
        try work.write("list.csv", "image_path,image_filename\nphotos/1.jpg,../../escaped\u{1}.jpg\n")
        let run = try await work.farm("run", "list.csv", "--pictures", "deep/out", environment: Scene.impatient)
        #expect(run.error.contains("1 annotated picture"), "\(run.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: work.path("deep/out")) == ["escaped_-1.jpg"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: work.path("deep")) == ["out"])
        let accents = try await work.farm(
            "run", "list.csv", "--pictures", "\u{301}a/\u{301}b", environment: Scene.impatient)
        #expect(accents.status == 0, "\(accents.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: work.path("\u{301}a/\u{301}b")).count == 1)
        try await scene.doubles.stop()
    }

    @Test(
        "IMAGE_ROOT confines image_path: a row that leads outside ends with an image error, and no service sees the file"
    )
    func confined() async throws {
        let scene = try await Scene(["clip"], photos: 1)
        let work = scene.workplace
        try work.photo("coffee_exif_gps.jpg", as: "private.jpg")
        try FileManager.default.createSymbolicLink(
            atPath: work.path("photos/link.jpg"), withDestinationPath: work.path("private.jpg"))
        try work.write("list.csv", "path\nphotos/link.jpg\nphotos/../private.jpg\n/etc/hostname\n")
        #expect(try await work.farm("import", "list.csv").status == 0)
        try await scene.produce()
        let environment = Scene.impatient.merging(["IMAGE_ROOT": "photos"]) { $1 }
        let up = try await work.farm("up", "--until-idle", environment: environment)
        #expect(up.status == 1, "\(up.error)")
        let rows = try await work.rows(
            "SELECT image_id, status, json_extract(data, '$.error.kind', '$.error.message') FROM results ORDER BY image_id"
        )
        #expect(rows.count == 4 && rows.first?.hasPrefix("1|success") == true, "\(rows)")
        for row in rows.dropFirst() {
            #expect(row.contains("|error|[\"image\"") && row.contains("is not below IMAGE_ROOT"), "\(row)")
        }
        #expect(try await scene.doubles.calls(of: "clip").begun == 1)
        try await scene.doubles.stop()
        let imported = try await work.farm("import", "private.jpg", environment: ["IMAGE_ROOT": "photos"])
        #expect(imported.status == 3 && imported.error.contains("is not below IMAGE_ROOT"))
    }

    // MARK: URLs

    @Test("image_url is http or https; private addresses are refused where DENY_PRIVATE_IMAGE_URLS says so")
    func urls() async throws {
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        _ = try await work.farm("init")
        let private_ = "http://127.0.0.1:\(try scene.doubles.port("clip"))/calls"
        _ = try await work.rows(
            "INSERT INTO images (image_url) VALUES ('file:///etc/passwd'), ('\(private_)'), ('http://169.254.169.254/')"
        )
        try await scene.produce()
        let environment = Scene.impatient.merging(["DENY_PRIVATE_IMAGE_URLS": "true"]) { $1 }
        let up = try await work.farm("up", "--until-idle", environment: environment)
        #expect(up.status == 1, "\(up.error)")
        let rows = try await work.rows(
            "SELECT status, json_extract(data, '$.error.kind', '$.error.message') FROM results ORDER BY image_id")
        #expect(rows.count == 3 && rows.allSatisfy { $0.hasPrefix("error|[\"image\"") }, "\(rows)")
        #expect(rows.first?.contains("it is no http or https URL") == true)
        #expect(rows.dropFirst().allSatisfy { $0.contains("its host is private") })
        #expect(try await scene.doubles.calls(of: "clip").begun == 0)

        let open = try await work.farm("produce", "--resume", "--failed")
        #expect(open.status == 0)
        #expect(try await work.farm("up", "--until-idle", environment: Scene.impatient).status == 1)
        #expect(try await scene.doubles.calls(of: "clip").begun == 2, "all but the file")
        try await scene.doubles.stop()
    }

    // MARK: Texts

    @Test("Names, labels and messages steer neither a terminal nor the log: piped, on a terminal, as text and as JSON")
    func steering() async throws {
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        _ = try await work.farm("init")
        let text = JSON.string(SecurityTests.hostile).text
        let box =
            #"{"label": \#(text), "cluster_id": \#(text), "emoji": \#(text), "score": 1e300, "#
            + #""merged_bbox": {"x": 1e300, "y": 0, "width": 1, "height": 1}}"#
        let consensus =
            #"{"votes": {"consensus": [{"emoji": \#(text), "votes": 1e300, "services": [\#(text)]}]}, "#
            + #""special": {"text": {"detected": true, "confidence": 1e300, "content": \#(text)}}}"#
        try work.write(
            "rows.sql",
            """
            INSERT INTO images (image_path, image_filename) VALUES ('/nowhere/\(SecurityTests.hostile)', '\(SecurityTests.hostile)');
            INSERT INTO results (image_id, service, data, status) VALUES (1, '\(SecurityTests.hostile)', '{"error": {"message": \(text)}}', 'error');
            INSERT INTO merged_boxes (image_id, merged_data, status) VALUES (1, '\(box)', 'success');
            INSERT INTO consensus (image_id, consensus_data) VALUES (1, '\(consensus)');
            INSERT INTO worker_heartbeats (worker_id, service_name, node_hostname, status, error_message)
                VALUES ('\(SecurityTests.hostile)', 'clip', 'a', 'error', '\(SecurityTests.hostile)');
            """)
        _ = try await work.rows(".read rows.sql")
        let commands = [
            ["show", "1"], ["show", "1", "--json"], ["status"], ["status", "--json"], ["monitor"],
            ["monitor", "--json"],
            ["show", SecurityTests.hostile + "x"], ["import", SecurityTests.hostile + "x"],
            ["show", "1", "--picture", "out.jpg"],
            ["export"], ["export", "--format", "jsonl"],
        ]
        for command in commands {
            let piped = try await work.farm(command)
            let drawn = try await work.onTerminal(command)
            #expect(!piped.output.isEmpty || !piped.error.isEmpty)
            // An export into a pipe or a file holds texts as they are.
            let printed = command.first == "export" ? [piped.error, drawn] : [piped.output, piped.error, drawn]
            for text in printed {
                #expect(text.steering.isEmpty, "\(command): \(text.steering)")
                #expect(!text.contains("\nfarm: all is well"), "\(command)")
                #expect(!text.contains("\u{1B}[31mred"), "\(command): the program's own style, written by others")
            }
        }
        let json = try await work.farm("show", "1", "--json").json()
        #expect(json.arrayValue?.first?["image"]?["image_filename"]?.stringValue == SecurityTests.hostile)

        try await scene.produce()
        let environment = Scene.impatient.merging(["LOG_FILE": "farm.log", "LOG_LEVEL": "DEBUG"]) { $1 }
        for format in ["text", "json"] {
            _ = try await work.farm(
                "up", "--until-idle", environment: environment.merging(["LOG_FORMAT": format]) { $1 })
            _ = try await work.farm("produce")
        }
        let log = try String(contentsOfFile: work.path("farm.log"), encoding: .utf8)
        #expect(log.contains("/nowhere/"), "the message quotes the path")
        #expect(log.steering.isEmpty, "\(log.steering)")
        #expect(log.split(separator: "\n").allSatisfy { $0.hasPrefix("20") || $0.hasPrefix("{\"time\"") })
        try await scene.doubles.stop()
    }

    @Test("Metacharacters of SQL and of the shell are characters like others, wherever they stand")
    func metacharacters() async throws {
        let names = [
            "'; DROP TABLE images; --.jpg", "$(touch pwned).jpg", "`touch pwned`.jpg", "a|touch pwned;&.jpg",
            "%s%n%d.jpg",
            "\"quoted\\\".jpg", "--group.jpg", "a*?[b]{c,d}.jpg", "a..\\..\\x.jpg", "ü 犬.jpg", "\\x27 OR 1=1.jpg",
        ]
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        for (number, name) in names.enumerated() {
            try work.photos(["photos/\(number)/\(name.replacing("/", with: "_"))"])
        }
        let group = "g'; DELETE FROM images; -- $(touch pwned) `x` \" \\ %"
        #expect(try await work.farm("import", "photos", "--group", group).status == 0)
        #expect(try await work.farm("produce", "--group", group).status == 0)
        #expect(try await scene.upUntilIdle().status == 0)
        #expect(try await work.count("SELECT count(*) FROM images WHERE image_group LIKE 'g%'") == names.count)
        #expect(
            try await work.count("SELECT count(*) FROM results WHERE status = 'success'") == names.count * Scene.primary
        )
        #expect(try await work.count("SELECT count(*) FROM consensus") == names.count)
        let shown = try await work.farm("show", "--", "'; DROP TABLE images; --.jpg", "--group.jpg")
        #expect(shown.status == 0, "\(shown.error)")
        let exported = try await work.farm("export", "--group", group, "--format", "jsonl")
        #expect(exported.output.split(separator: "\n").count == names.count)
        #expect(try await work.farm("export", "--group", "x' OR '1'='1", "--format", "jsonl").output.isEmpty)
        let found = FileManager.default.enumerator(atPath: work.folder.path)?.compactMap { $0 as? String } ?? []
        #expect(!found.contains { $0.hasSuffix("pwned") })
        try await scene.doubles.stop()
    }
}

/// The names in the file system of a process's Unix sockets.
private func namedSockets(of process: Int32) throws -> [String] {
    let folder = "/proc/\(process)/fd"
    let open = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
    }
    try #require(!open.isEmpty)
    // Num RefCount Protocol Flags Type St Inode Path
    return try String(contentsOfFile: "/proc/net/unix", encoding: .utf8).split(separator: "\n").compactMap { line in
        let fields = line.split(separator: " ", maxSplits: 7)
        return fields.count == 8 && open.contains("socket:[\(fields[6])]") ? String(fields[7]) : nil
    }
}

extension Workplace {
    fileprivate func mode(_ name: String) throws -> Int {
        var status = stat()
        try #require(stat(path(name), &status) == 0, "\(name)")
        return Int(status.st_mode & 0o7777)
    }

    /// What a command writes on a terminal, by util-linux's `script`.
    fileprivate func onTerminal(_ arguments: [String]) async throws -> String {
        let quoted = ([Program.url.path] + arguments).map { "'" + $0.replacing("'", with: "'\\''") + "'" }
        let tool = try Running(
            URL(fileURLWithPath: "/usr/bin/script"), ["-qec", quoted.joined(separator: " "), "/dev/null"], in: folder,
            ["PATH": "/usr/bin:/bin", "TERM": "xterm", "SHELL": "/bin/sh"])
        return try await tool.finished().output.replacing("\r\n", with: "\n")
    }
}

extension String {
    /// What is left to steer a terminal, the program's own styles and progress line aside.
    fileprivate var steering: [String] {
        let own = ["\u{1B}[1m", "\u{1B}[31m", "\u{1B}[0m", "\r\u{1B}[K"]
        let rest = own.reduce(self) { $0.replacingOccurrences(of: $1, with: "", options: .literal) }
        return rest.unicodeScalars.filter { $0.isSteering && $0 != "\n" && $0 != "\t" }
            .map { String($0.value, radix: 16) }
    }
}
