import Foundation
import Servers
import Testing

@Suite("The SQL for the administrator")
struct AdministratorTests {
    /// What was printed below the line that says why.
    private func script(in printed: Finished) throws -> String {
        #expect(printed.status == 2)
        let lines = printed.error.split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.firstIndex { $0.contains("An administrator runs this SQL") })
        #expect(lines[first].contains("the server said: "), "\(lines[first])")
        return lines[(first + 1)...].joined(separator: "\n")
    }

    private func run(_ tool: String, _ arguments: [String], in workplace: Workplace) async throws {
        let path = ["/usr/bin/", "/usr/local/bin/"].map { $0 + tool }.first(where: FileManager.default.fileExists)
        let variables = ["PATH": "/usr/bin:/bin"]
        let finished = try await Running(
            URL(fileURLWithPath: try #require(path)), arguments, in: workplace.folder, variables
        ).finished()
        #expect(finished.status == 0, "\(finished.error)")
    }

    /// - Parameter isOld: another program's tables are there, with rows.
    @Test("as farm init prints it goes through psql and mariadb, and then farm works", arguments: [true, false])
    func pasted(isOld: Bool) async throws {
        let site = try await Site()
        let scene = try await Scene(["clip"], photos: 0)
        let work = scene.workplace
        try site.write(work)
        try await site.query("ALTER DATABASE \(site.store.name) OWNER TO postgres")
        if isOld {
            try await site.query(
                """
                CREATE TABLE consensus (consensus_id SERIAL PRIMARY KEY, image_id INT, consensus_data JSONB,
                    processing_time FLOAT, consensus_created TIMESTAMP DEFAULT NOW());
                INSERT INTO consensus (consensus_data) VALUES ('{}')
                """)
        }
        let root = try await site.mariaDB.connect(site.heartbeats)
        try await root.run(
            isOld ? "ALTER TABLE worker_heartbeats DROP COLUMN queue_depth" : "DROP TABLE worker_heartbeats")

        try work.write("store.sql", try script(in: try await work.farm("init")))
        let server = ["--host=127.0.0.1", "--port=\(site.postgreSQL.port)", "--username=postgres"]
        try await run(
            "psql", server + ["--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file=store.sql", site.store.name], in: work)
        try work.write("heartbeats.sql", try script(in: try await work.farm("init")))
        try await run(
            "mariadb",
            ["--no-defaults", "--user=root", "--socket=\(site.mariaDB.socket)", "--execute=source heartbeats.sql"],
            in: work)
        let initialised = try await work.farm("init")
        #expect(initialised.status == 0, "\(initialised.error)")
        #expect(initialised.output.split(separator: "\n").count == 1, "\(initialised.output)")

        try work.photos(["photos/1.jpg"])
        try #require(try await work.farm("import", "photos").status == 0)
        try await scene.produce()
        let up = try await scene.upUntilIdle()
        #expect(up.status == 0, "\(up.error)")
        #expect(try await site.query("SELECT status, count(*) FROM results GROUP BY 1") == [["success", "1"]])
        #expect(try await root.value("SELECT count(*) > 0 FROM worker_heartbeats") == "1")
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("grants to the account that farm logged in as, not to one from any host")
    func account() async throws {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([], roles: false)
        try site.write(workplace)
        let root = try await site.mariaDB.connect(site.heartbeats)
        let user = site.heartbeats.user
        try await root.run("DROP TABLE worker_heartbeats")
        try await root.run("RENAME USER \(user)@'%' TO \(user)@'127.0.0.%'")
        let script = try script(in: try await workplace.farm("init"))
        #expect(script.contains("TO '\(user)'@'127.0.0.%';"), "\(script)")
        await site.remove()
    }
}
