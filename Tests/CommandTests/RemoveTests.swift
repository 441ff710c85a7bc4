import Foundation
import Model
import Testing

@Suite("farm remove")
struct RemoveTests {
    private static let tables = [
        "images", "results", "merged_boxes", "consensus", "postprocessing", "farm_missing_enrichments", "farm_stale",
    ]

    /// Four imported photos of which everything is known.
    private func workplace() async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.photos((1...4).map { "photos/\($0).jpg" })
        let imported = try await workplace.farm("import", "photos")
        try #require(imported.status == 0, "\(imported.error)")
        _ = try await workplace.rows("UPDATE images SET image_group = iif(image_id % 2, 'odd', 'even')")
        try await workplace.makeAllKnown()
        return workplace
    }

    private func images(_ workplace: Workplace) async throws -> [[String]] {
        try await workplace.images(in: RemoveTests.tables)
    }

    @Test("a group's images go with all that hangs on them; the others and all photo files stay")
    func group() async throws {
        let workplace = try await workplace()
        let dry = try await workplace.farm("remove", "--group", "odd", "--dry-run", "--json")
        #expect(dry.status == 0, "\(dry.error)")
        #expect(
            try dry.json()
                == [
                    "images": 2, "results": 2, "merged_boxes": 2, "consensus": 2, "postprocessing": 2, "dry_run": true,
                ])
        #expect(try await workplace.count("SELECT count(*) FROM images") == 4)
        let removed = try await workplace.farm("remove", "--group", "odd", "--yes")
        #expect(removed.status == 0, "\(removed.error)")
        #expect(
            removed.output
                == "2 images with 2 results, 2 merged boxes, 2 consensus and 2 enrichments removed\n")
        #expect(try await images(workplace).allSatisfy { $0 == ["2", "4"] })
        for photo in 1...4 {
            #expect(FileManager.default.fileExists(atPath: workplace.path("photos/\(photo).jpg")))
        }
        let again = try await workplace.farm("remove", "--group", "odd", "--yes")
        #expect(again.status == 1)
        #expect(again.error.contains("no image in group odd"))
        // Whoever is imported again is a new image.
        #expect(try await workplace.farm("import", "photos").status == 0)
        #expect(try await workplace.rows("SELECT image_id FROM images ORDER BY 1") == ["2", "4", "5", "6"])
    }

    @Test("images are named as for show; an unknown one removes nothing")
    func named() async throws {
        let workplace = try await workplace()
        let unknown = try await workplace.farm("remove", "1", "nowhere.jpg", "--yes")
        #expect(unknown.status == 1)
        #expect(unknown.error.contains("nowhere.jpg"))
        #expect(try await workplace.count("SELECT count(*) FROM images") == 4)
        #expect(try await workplace.farm("remove", "1", "photos/3.jpg", "--yes").status == 0)
        #expect(try await images(workplace).allSatisfy { $0 == ["2", "4"] })
    }

    @Test("it asks; elsewhere than on a terminal it needs --yes, and always a name")
    func confirmation() async throws {
        let workplace = try await workplace()
        for (arguments, hint) in [
            (["remove"], "--group"), (["remove", "1", "--group", "odd"], "--group"), (["remove", "1"], "--yes"),
        ] {
            let refused = try await workplace.farm(arguments)
            #expect(refused.status == 2)
            #expect(refused.error.contains(hint))
        }
        let declined = try await workplace.farm("remove 1", typing: "no\\n")
        #expect(declined.status == 1)
        #expect(
            declined.output.contains(
                "Remove 1 image with 1 result, 1 merged box, 1 consensus and 1 enrichment? [y/N]"))
        #expect(try await workplace.count("SELECT count(*) FROM images") == 4)
        #expect(try await workplace.farm("remove 1", typing: "y\\n").status == 0)
        #expect(try await workplace.count("SELECT count(*) FROM images") == 3)
    }

    @Test("jobs that wait end among the dead letters, and hold up nothing")
    func waitingJobs() async throws {
        let scene = try await Scene(photos: 2)
        try await scene.produce()
        #expect(try await scene.workplace.farm("remove", "1", "2", "--yes").status == 0)
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        let dead = try await scene.workplace.rows("SELECT reason, count(*) FROM farm_dead GROUP BY reason")
        #expect(dead == ["unknown_image|\(2 * Scene.primary)"])
        try await scene.doubles.stop()
    }

    @Test("says in its help that no photo file is touched")
    func help() async throws {
        let help = try await Workplace().farm("remove", "--help")
        #expect(
            help.output.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(
                "Photo files are not touched"))
    }
}
