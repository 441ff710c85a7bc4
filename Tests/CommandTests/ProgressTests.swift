import Foundation
import Testing

/// What a line of progress says.
private struct ProgressLine: Equatable {
    var done: Int
    var total: Int
    var hasETA: Bool

    /// All such lines of a title, in their order.
    static func all(_ title: String, in text: String) -> [ProgressLine] {
        let line = try? Regex(
            #"(\d+) of (\d+), \d+\.\d/s(, [\dhmins ]+ left)?"#, as: (Substring, Substring, Substring, Substring?).self)
        guard let line else { return [] }
        return text.split(whereSeparator: { "\r\n".contains($0) || $0 == "\u{1B}" })
            .compactMap { part -> ProgressLine? in
                guard let start = part.range(of: title + ": "),
                    let match = part[start.upperBound...].prefixMatch(of: line),
                    let done = Int(match.output.1), let total = Int(match.output.2)
                else { return nil }
                return ProgressLine(done: done, total: total, hasETA: match.output.3 != nil)
            }
    }
}

@Suite("Progress", .serialized)
struct ProgressTests {
    private static let clearLine = "\r\u{1B}[K"

    /// The line has count, rate and ETA, and is gone where the command ends.
    private func expectProgress(_ title: String, of total: Int, _ running: Running, then last: String) async throws {
        let finished = try await running.finished()
        #expect(finished.status == 0, "\(finished.output)")
        let lines = ProgressLine.all(title, in: finished.output)
        #expect(lines.contains { $0.hasETA && $0.done < $0.total }, "\(title): \(finished.output)")
        #expect(lines.allSatisfy { $0.total == total }, "\(lines)")
        #expect(lines.map(\.done) == lines.map(\.done).sorted())
        // What a terminal shows at the end: everything behind the last clearing of the line.
        let rest = finished.output.components(separatedBy: Self.clearLine).last ?? ""
        #expect(rest.contains(last), "\(rest)")
        #expect(ProgressLine.all(title, in: rest).isEmpty, "no line of progress is left: \(rest)")
    }

    /// A write lock of another program on farm.db, until it is released.
    private func lock(_ workplace: Workplace) async throws -> Running {
        let locker = try workplace.startBash(
            """
            exec python3 -c '
            import signal, sqlite3
            file = sqlite3.connect("farm.db", isolation_level=None)
            file.execute("BEGIN IMMEDIATE")
            print("locked", flush=True)
            signal.sigwait([signal.SIGTERM])'
            """)
        try await eventually("the lock is taken") { locker.output.contains("locked") }
        return locker
    }

    /// Until a process that was started has opened farm.db.
    private func opened(_ running: Running) async throws {
        let shell = try Workplace()
        try await eventually("farm.db is open") {
            try await shell.bash("ls -l /proc/$(pgrep -P \(running.pid))/fd | grep -q farm.db-wal").status == 0
        }
    }

    @Test("produce, on a terminal")
    func produce() async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1), ("yolov8", 2)])
        try workplace.photos((1...10).map { "photos/\($0).jpg" })
        #expect(try await workplace.farm("import", "photos").status == 0)
        let all = try workplace.startOnTerminal(["produce", "--delay", "0.05"])
        try await expectProgress("jobs submitted", of: 20, all, then: "20 jobs submitted: 10 images × clip, yolov8")
        _ = try await workplace.rows("DELETE FROM farm_queue")
        let rest = try workplace.startOnTerminal(["produce", "--delay", "0.05", "--resume"])
        try await expectProgress("images submitted", of: 10, rest, then: "20 jobs submitted")
    }

    @Test("import, on a terminal: of folders, lists and URLs what there is to look at is counted first")
    func `import`() async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg", "photos/deep/2.jpg"])
        try workplace.write("photos/note.txt", "skipped")
        let lines = (1...3000).map { "http://nas.local/\(String(repeating: "x", count: 100))/\($0).jpg\n" }
        try workplace.write("list.csv", "image_url\n" + lines.joined())
        #expect(try await workplace.farm("init").status == 0)
        let locker = try await lock(workplace)
        let running = try workplace.startOnTerminal(["import", "photos", "list.csv", "http://nas.local/1.jpg"])
        try await opened(running)
        // The first rows wait for the lock, so that it takes long enough to be worth a line.
        try await Task.sleep(for: .milliseconds(500))
        locker.signal(SIGTERM)
        try await expectProgress("imported", of: 3004, running, then: "3003 added, 0 there already, 1 file skipped")
    }

    @Test("run, and up --until-idle, on a terminal")
    func run() async throws {
        for command in [["run", "photos"], ["up", "--until-idle"]] {
            let scene = try await Scene(["clip", "colors"], photos: 0, gate: true)
            let workplace = scene.workplace
            try workplace.photos((1...20).map { "photos/\($0).jpg" })
            #expect(try await workplace.farm("import", "photos").status == 0)
            if command == ["up", "--until-idle"] { try await scene.produce() }
            let running = try workplace.startOnTerminal(
                command, columns: 200, environment: ["LOG_LEVEL": "ERROR", "HEARTBEAT_INTERVAL": "0.2"])
            try await eventually("the line is there") {
                ProgressLine.all("jobs done", in: running.output).contains { $0.done == 0 && $0.total == 40 }
            }
            try scene.openGate()
            let finished = try await running.finished()
            #expect(finished.status == 0, "\(finished.output)")
            let lines = ProgressLine.all("jobs done", in: finished.output)
            #expect(lines.allSatisfy { $0.total == 40 }, "\(lines)")
            let rest = finished.output.components(separatedBy: Self.clearLine).last ?? ""
            #expect(ProgressLine.all("jobs done", in: rest).isEmpty, "no line of progress is left: \(rest)")
            try await scene.doubles.stop()
        }
    }

    // Nothing is to be enriched, so that the lock holds up no writing: of many images, the reading takes long enough.
    @Test(
        "merge, enrich and consense --all, on a terminal",
        arguments: [("merge", 500), ("enrich", 10_000), ("consense", 500)])
    func recompute(_ role: String, _ images: Int) async throws {
        let workplace = try Workplace()
        #expect(try await workplace.farm("init").status == 0)
        _ = try await workplace.rows(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(images))
            INSERT INTO images (image_filename) SELECT i || '.jpg' FROM n;
            INSERT INTO results (image_id, service, data, status) SELECT image_id, 'yolov8', '{"predictions": []}', 'success'
            FROM images;
            """)
        let locker = try await lock(workplace)
        let running = try workplace.startOnTerminal([role, "--all"])
        try await opened(running)
        try await Task.sleep(for: .milliseconds(500))
        locker.signal(SIGTERM)
        try await expectProgress("recomputed", of: images, running, then: "\(images) images recomputed")
    }

    @Test("export to a file, on a terminal")
    func export() async throws {
        let workplace = try Workplace()
        #expect(try await workplace.farm("init").status == 0)
        _ = try await workplace.rows(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
            INSERT INTO images (image_filename) SELECT i || '.jpg' FROM n;
            INSERT INTO results (image_id, service, data, status) SELECT image_id, 'clip', '{"predictions": []}', 'success'
            FROM images;
            """)
        let running = try workplace.startOnTerminal(["export", "--output", "all.jsonl"])
        try await expectProgress("images exported", of: 5000, running, then: "5000 images in all.jsonl")
    }

    @Test("elsewhere it is a plain line every ten seconds")
    func plain() async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)])
        try workplace.photos((1...30).map { "photos/\($0).jpg" })
        #expect(try await workplace.farm("import", "photos").status == 0)
        let produce = try workplace.start(["produce", "--delay", "1"])
        try await eventually("the first line") { produce.error.contains("\n") }
        produce.signal(SIGINT)
        let finished = try await produce.finished()
        #expect(finished.status == 130)
        let lines = ProgressLine.all("jobs submitted", in: finished.error)
        #expect(lines.count == 1 && lines.first?.hasETA == true, "\(finished.error)")
        #expect((lines.first?.done ?? 0) > 5, "not before ten seconds are over")
        #expect(!finished.error.contains("\u{1B}") && !finished.error.contains("\r"))
    }

    @Test(
        "status and monitor --watch draw over the page before, in what room there is", arguments: ["status", "monitor"])
    func watch(_ command: String) async throws {
        let workplace = try Workplace()
        let running = try workplace.startOnTerminal([command, "--watch"], rows: 8)
        try await eventually("it is drawn three times") { running.output.occurrences(of: "\u{1B}[H") >= 3 }
        running.signal(SIGUSR1)
        let finished = try await running.finished()
        #expect(finished.status == 130)
        #expect(finished.output.hasPrefix("\u{1B}[H\u{1B}[2J"))
        #expect(finished.output.occurrences(of: "\u{1B}[2J") == 1, "the screen is not blank in between")
        for page in finished.output.components(separatedBy: "\u{1B}[H").dropFirst() {
            #expect(page.occurrences(of: "\n") <= 7, "it does not scroll")
        }
        #expect(finished.output.contains("more lines"))
    }
}
