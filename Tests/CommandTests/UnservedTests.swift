import Foundation
import Model
import Testing

@Suite("farm up, of what nobody does")
struct UnservedTests {
    @Test("names the roles that a file without post_processing entries leaves out, and triggers that nobody takes")
    func olderFile() async throws {
        let workplace = try await Workplace.prepared(images: 2)
        try workplace.configure([("clip", 1)], roles: false)
        try await workplace.submit(2, to: "consensus")
        let up = try workplace.start(["up"])
        try await eventually("the roles are named") { up.error.contains("has no post_processing entry") }
        #expect(up.error.contains("bbox_merger, spatial_enrichment, consensus do not run here"))
        #expect(up.error.contains("farm merge, farm enrich, farm consense"))
        try await eventually("the triggers are warned about") { up.error.contains("nobody takes them") }
        #expect(up.error.contains("2 triggers of consensus waiting, and nobody takes them: run farm consense"))
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)

        // The entry that the message names is enough.
        let text = try String(contentsOfFile: workplace.path("service_config.json"), encoding: .utf8)
        let entry = try #require(up.error.firstMatch(of: /add entries such as ("consensus": \{.*?\}) to it/)?.1)
        try workplace.write(
            "service_config.json", text.replacingOccurrences(of: "{\"services\":{", with: "{\"services\":{\(entry),"))
        let idle = try await workplace.farm("up", "--until-idle", environment: Scene.impatient)
        #expect(idle.status == 0, "\(idle.error)")
        #expect(!idle.error.contains("has no post_processing entry"))
        #expect(try await workplace.waiting().isEmpty)
    }
}
