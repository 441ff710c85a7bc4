import Foundation
import Model
import Testing

@Suite("LOG_FORMAT=json")
struct LogFormatTests {
    @Test("carries host, worker, service, image and job as members")
    func members() async throws {
        let scene = try await Scene(photos: 2, failing: [("clip", "2.jpg")])
        try await scene.produce()
        let up = try await scene.workplace.farm(
            "up", "--until-idle", environment: Scene.impatient.merging(["LOG_FORMAT": "json"]) { $1 })
        let lines = up.error.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
        #expect(!lines.isEmpty)
        for line in lines {
            #expect(line.keys.prefix(5) == ["time", "level", "logger", "message", "host"])
            #expect(line["host"]?.stringValue?.isEmpty == false)
        }
        let dead = try #require(lines.first { $0["message"]?.stringValue?.contains("is dead") == true })
        #expect(dead.keys == ["time", "level", "logger", "message", "host", "worker", "service", "image", "job"])
        let letter = try #require(try await scene.workplace.farm("dead", "--json").json().arrayValue?.first)
        #expect(dead["worker"] == letter["worker_id"])
        #expect(dead["service"] == "clip")
        #expect(dead["image"] == letter["image_id"])
        #expect(dead["job"] == letter["job_id"])
        try await scene.doubles.stop()
    }
}
