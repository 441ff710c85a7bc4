import Foundation
import Model
import Servers
import Testing

/// The recipes of docs/operating.md for backups, as they stand there.
@Suite("Backups, as docs/operating.md has them")
struct BackupTests {
    @Test("farm.db is backed up under load and laid back: what waited then is done, each job once")
    func file() async throws {
        let blocks = try Recipe.file.blocks(2)
        let scene = try await Scene(photos: 5, gate: true)
        let work = scene.workplace
        let box = try DailyBox(work)
        try work.write(".env", "HEARTBEAT_INTERVAL=0.2\n")
        try await scene.produce()
        try await box.start()
        try await eventually("jobs are in hand") { try await scene.doubles.calls(of: "clip").begun > 0 }
        // While farm is at work this lies in the file's log, farm.db-wal, alone.
        try work.photos(["6.jpg"])
        try await submit(["6.jpg"], work)
        try await box.paste(blocks[0])
        try scene.openGate()

        let names = try FileManager.default.contentsOfDirectory(atPath: work.path("backups"))
        let backup = try #require(names.count == 1 ? work.path("backups/\(names[0])") : nil)
        let mode = try FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions] as? Int
        #expect(mode == 0o600, "it is for the eyes of whom farm.db is for")
        #expect(try await work.bash("sqlite3 '\(backup)' 'PRAGMA integrity_check'").output == "ok\n")

        try await eventually("all is done") { try await isDone(work, images: 6) }
        try work.photo("coffee_exif_gps.jpg", as: "later.jpg")
        #expect(try await work.farm("import", "later.jpg").status == 0)
        try await box.paste(blocks[1])
        try await eventually("what waited at the time of the backup is done") { try await isDone(work, images: 6) }
        #expect(try await work.count("SELECT count(*) FROM images") == 6)
        #expect(try await work.count("SELECT count(DISTINCT job_id) FROM results") == 6 * Scene.primary)
        #expect(try await work.deadCount() == 0)
        #expect(
            try await work.bash("sqlite3 replaced/farm.db 'SELECT count(*) FROM images'").output == "7\n",
            "the old file is whole")
        try await box.stop()
        try await scene.doubles.stop()
    }

    private func isDone(_ work: Workplace, images: Int) async throws -> Bool {
        try await work.rows(
            """
            SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM consensus), (SELECT count(*) FROM farm_queue),
                (SELECT count(*) FROM farm_stale)
            """) == ["\(images * Scene.primary)|\(images)|0|0"]
    }

    @Test("PostgreSQL is dumped and restored; nothing is lost to queues that know another past, and nothing put wrong")
    func servers() async throws {
        let blocks = try Recipe.servers.blocks(2)
        let site = try await Site()
        let scene = try await Scene(photos: 0)
        let work = scene.workplace
        let box = try DailyBox(work)
        try site.write(work)
        let store = site.store
        try work.write(".pgpass", "127.0.0.1:\(site.postgreSQL.port):\(store.name):\(store.user):\(store.password)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: work.path(".pgpass"))
        let places: KeyValuePairs = [
            "PGHOST=k1": "PGHOST=127.0.0.1 PGPORT=\(site.postgreSQL.port)", "=animal_farm_user": "=\(store.user)",
            "=animal_farm ": "=\(store.name) ",
        ]
        try work.photos(["1.jpg", "2.jpg", "3.jpg", "4.jpg"])
        try await submit(["1.jpg", "2.jpg"], work)
        #expect(try await scene.upUntilIdle().status == 0)
        // These wait when the dump is made, and are done when it is laid back.
        try await submit(["3.jpg"], work)
        try await box.paste(blocks[0], places)
        #expect(try await scene.upUntilIdle().status == 0)
        // This one the dump does not know. Its number will be another's.
        try await submit(["4.jpg"], work)

        try await box.paste(blocks[1], places)
        try work.photo("coffee_exif_gps.jpg", as: "5.jpg")
        try await submit(["5.jpg"], work)
        let images = "SELECT image_filename FROM images ORDER BY image_id"
        #expect(try await site.query(images) == [["1.jpg"], ["2.jpg"], ["3.jpg"], ["5.jpg"]])
        try await eventually("all is done") {
            try await site.query(
                """
                SELECT (SELECT count(*) FROM results), (SELECT count(DISTINCT (image_id, service)) FROM results
                    WHERE status = 'success'), (SELECT count(DISTINCT image_id) FROM merged_boxes),
                    (SELECT count(*) FROM consensus), (SELECT count(*) FROM farm_stale)
                """) == [["\(4 * Scene.primary)", "\(4 * Scene.primary)", "4", "4", "0"]]
        }
        let dead = try await work.farm("dead", "--json")
        #expect(try dead.json() == .array([]), "no job of the other past was left: \(dead.output)")
        try await box.stop()
        try await scene.doubles.stop()
        await site.remove()
    }

    private func submit(_ photos: [String], _ work: Workplace) async throws {
        for photo in photos { #expect(try await work.farm("import", photo, "--group", photo).status == 0) }
        for photo in photos { #expect(try await work.farm("produce", "--group", photo).status == 0) }
    }
}
