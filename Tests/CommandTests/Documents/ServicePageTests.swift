import Foundation
import Model
import Testing

/// The service of docs/services.md, as it stands there.
@Suite("The service of docs/services.md")
struct ServicePageTests {
    @Test("is one to farm: to check, try and run, by file and by URL, and when it is no photo that it gets")
    func service() async throws {
        let blocks = try Document("docs/services.md").blocks(of: "A service in 25 lines")
        try #require(blocks.count == 3, "all of them are run here")
        #expect(blocks[0].split(separator: "\n").count == 25)
        let work = try Workplace()
        let box = try DailyBox(work)
        let ports = try ServiceDoubles.freePorts(2)
        try work.write("daylight.py", DailyBox.moved(blocks[0], ["9000": "\(ports[0])"]))
        try work.write("service_config.json", DailyBox.moved(blocks[1], ["9000": "\(ports[0])"]))
        try work.photo("two_dogs.jpg", as: "photo.jpg")
        let service = try await python(["daylight.py"], in: work, port: ports[0])

        let pasted = try await box.paste(blocks[2]).output
        #expect(pasted.contains("ok      service daylight at localhost:\(ports[0]): answers"))
        #expect(pasted.contains("votes: ☀"))
        #expect(pasted.contains(/☀ +1 +2 +daylight +classified by daylight/))
        // What check asks, as the page says, and a call each of try and run.
        let asked = service.error.matches(of: /"(.*?) HTTP/).map { String($0.1) }
        #expect(asked == ["GET /health", "GET /analyze", "POST /analyze", "POST /analyze"])

        try work.photo("two_dogs.jpg", as: "served/by_url.jpg")
        try work.write("served/no_photo.jpg", "Dear diary")
        let host = try await python(
            ["-m", "http.server", "\(ports[1])", "--directory", "served"], in: work, port: ports[1])
        for name in ["by_url", "no_photo", "missing"] {
            let url = "http://127.0.0.1:\(ports[1])/\(name).jpg"
            _ = try await work.farm("run", url, environment: ["RETRY_DELAY": "0"])
        }
        let rows = try await work.rows(
            """
            SELECT image_filename, status, json_extract(data, '$.error.http_status'), json_extract(data, '$.error.tries')
            FROM results JOIN images USING (image_id) WHERE image_url IS NOT NULL ORDER BY image_id
            """)
        #expect(rows == ["by_url.jpg|success||", "no_photo.jpg|error|400|2", "missing.jpg|error|500|3"])
        for process in [service, host] { process.signal(SIGTERM) }
        for process in [service, host] { _ = try await process.finished() }
    }

    @Test("what has a box and no emoji is a box and no vote, as the page says")
    func boxWithoutEmoji() async throws {
        let work = try Workplace()
        let port = try ServiceDoubles.freePorts(1)[0]
        try work.write(
            "boxes.py",
            DailyBox.moved(
                try Document("docs/services.md").blocks(of: "A service in 25 lines")[0],
                [
                    "9000": "\(port)",
                    #""emoji": "☀️", "confidence": light"#:
                        #""bbox": {"x": 10, "y": 10, "width": 50, "height": 40}, "confidence": light"#,
                ]))
        try work.write(
            "service_config.json",
            #"{"services": {"daylight": {"host": "localhost", "port": \#(port), "evidence": "spatial"}}}"#)
        try work.photo("two_dogs.jpg", as: "photo.jpg")
        let service = try await python(["boxes.py"], in: work, port: port)
        let tried = try await work.farm("try", "daylight", "photo.jpg")
        #expect(tried.output.contains("1 prediction, 1 box to merge\nvotes: none"), "\(tried.output)\(tried.error)")
        service.signal(SIGTERM)
        _ = try await service.finished()
    }

    /// Starts a program of Python that listens on a port, by the interpreter that `make setup` gives the example services.
    private func python(_ arguments: [String], in work: Workplace, port: Int) async throws -> Running {
        let python = Program.root.appending(path: "examples/services/.venv/bin/python3")
        try #require(
            FileManager.default.isExecutableFile(atPath: python.path),
            "no examples/services/.venv: `make setup` makes it")
        let running = try Running(python, arguments, in: work.folder, ["PATH": "/usr/bin:/bin"])
        try await eventually("it listens") {
            let knock = try await work.bash("exec 3<> /dev/tcp/127.0.0.1/\(port)")
            return knock.status == 0 || !running.isRunning
        }
        try #require(running.isRunning, "\(running.error)")
        return running
    }
}
