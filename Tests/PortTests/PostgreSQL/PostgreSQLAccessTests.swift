import Foundation
import Model
import Pipeline
@testable import PostgreSQL
import Servers
import Testing

@Suite("Logging in to PostgreSQL")
struct PostgreSQLAccessTests {
    private func fault(_ options: PostgreSQLOptions) async -> PortFault? {
        await #expect(throws: PortFault.self) { try await PostgreSQLDatabase.open(options) }
    }

    /// A user of its own, with a password and no rights beyond connecting.
    private func withUser(_ password: String, _ test: (PostgreSQLOptions) async throws -> Void) async throws {
        try await withDatabase { options in
            let user = "u_\(options.name)"
            let quoted = password.replacing("'", with: "''")
            _ = try await tool(
                options, "SET standard_conforming_strings = on; CREATE ROLE \(user) LOGIN PASSWORD '\(quoted)'")
            var theirs = options
            theirs.user = user
            theirs.password = { password }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await test(theirs)) } catch { outcome = .failure(error) }
            _ = try await tool(options, "DROP OWNED BY \(user); DROP ROLE \(user)")
            try outcome.get()
        }
    }

    @Test("no job is of an unknown image where none is to be seen: the database is another farm's, or hides its rows")
    func hiddenImages() async throws {
        // A superuser sees all rows.
        try await withUser("hidden") { options in
            _ = try await tool(options, "GRANT ALL ON SCHEMA public TO \(options.user)")
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            func refused(_ image: ImageID, _ cause: String) async throws {
                let key = JobKey(imageID: image, jobID: UUID(), redelivered: false)
                let ofJob = await #expect(throws: PortFault.self) { try await store.standing(of: [key], workerID: "w") }
                #expect(ofJob?.kind == .unusable)
                #expect(ofJob?.message.contains(cause) == true, "\(ofJob?.message ?? "")")
                let ofTrigger = await #expect(throws: PortFault.self) { try await store.images([image]) }
                #expect(ofTrigger?.message == ofJob?.message)
            }
            try await refused(1, "DB_NAME")
            let image = try #require(try await store.add([NewImage(filename: "1.jpg")], move: false).ids.first)
            let other = JobKey(imageID: image + 1, jobID: UUID(), redelivered: false)
            #expect(try await store.standing(of: [other], workerID: "w") == [.unknownImage])
            #expect(try await store.images([image, image + 1]).count == 1)
            _ = try await tool(
                options, "ALTER TABLE images ENABLE ROW LEVEL SECURITY; ALTER TABLE images FORCE ROW LEVEL SECURITY")
            try await refused(image, "row level security")
            await database.close()
        }
    }

    @Test("works with a password of any characters, and never prints it")
    func passwords() async throws {
        let password = #"pä'ss "w\ord=#%s$ 'x' host=evil 🐈"#
        try await withUser(password) { options in
            _ = try await tool(options, "GRANT ALL ON SCHEMA public TO \(options.user)")
            let database = try await PostgreSQLDatabase.open(options)
            #expect(try await PostgreSQLStore(database).totals().images == 0)
            await database.close()
            var wrong = options
            wrong.password = { "not-the-secret" }
            let refused = await fault(wrong)
            #expect(refused?.kind == .unusable)
            #expect(refused?.message.contains("DB_PASSWORD") == true)
            #expect(refused.map { "\($0)" }?.contains("not-the-secret") == false)
            var none = options
            none.password = { "" }
            let asked = await fault(none)
            #expect(asked?.kind == .unusable)
            #expect(asked?.message.contains("set DB_PASSWORD") == true)
            #expect(refused?.place == "PostgreSQL \(options.name) on 127.0.0.1:\(options.port)")
        }
    }

    @Test("to a database that is not there, or a server that is not there, says what to check")
    func missing() async throws {
        let server = try PostgreSQLServer.shared()
        let missing = await fault(server.options("nowhere"))
        #expect(missing?.kind == .unusable)
        #expect(missing?.message.contains("CREATE DATABASE \"nowhere\"") == true)
        var dead = server.options()
        dead.port = 1
        let away = await fault(dead)
        #expect(away?.kind == .transient)
        #expect(away?.message.contains("DB_HOST") == true)
    }

    @Test("without the right to make tables prints the SQL for the administrator, which mends it")
    func rights() async throws {
        try await withUser("secret-word") { options in
            _ = try await tool(
                options,
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC; " + PostgreSQLTakeoverTests.guide
                    + PostgreSQLTakeoverTests.rows
                    + "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \(options.user)")
            let refused = await fault(options)
            #expect(refused?.kind == .unusable)
            let message = try #require(refused?.message)
            #expect(message.contains("the server said: ") && message.contains("(42501"))
            #expect(!message.contains("\n"))
            let script = try #require(refused?.script)
            #expect(script.contains("ALTER TABLE images ADD COLUMN IF NOT EXISTS image_group TEXT;"))
            #expect(!(message + script).contains("secret-word"))
            // CONCURRENTLY has to stand alone, as in psql.
            for statement in statements(of: script) { _ = try await tool(options, statement) }
            let database = try await PostgreSQLDatabase.open(options)
            #expect(try await database.prepare().isEmpty)
            let store = PostgreSQLStore(database)
            try await store.record([.of(1, "yolov8")])
            try await store.updateConsensus(of: [1, 2]) { _ in ConsensusRecord(data: .null, processingTime: 0) }
            #expect(try await store.imagesWithStaleConsensus(limit: 9).isEmpty)
            await database.close()
        }
    }

    /// The body of a function holds semicolons of its own.
    private func statements(of script: String) -> [String] {
        script.split(separator: ";\n").reduce(into: []) { statements, piece in
            let isOpen = (statements.last?.components(separatedBy: "$$").count ?? 1) % 2 == 0
            if isOpen { statements[statements.count - 1] += ";\n" + piece } else { statements.append(String(piece)) }
        }
    }

    @Test("by TLS checks the certificate's signer and name, and says why it fails")
    func tls() async throws {
        let server = try PostgreSQLServer.shared()
        try await withDatabase { options in
            var secure = options
            secure.host = "localhost"
            secure.sslMode = "verify-full"
            secure.caFile = server.caFile
            let database = try await PostgreSQLDatabase.open(secure)
            #expect(
                try await tool(
                    options,
                    "SELECT DISTINCT ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.datname = '\(options.name)' AND a.pid <> pg_backend_pid()"
                ) == ["t"])
            await database.close()
            secure.caFile = nil
            let untrusted = await fault(secure)
            #expect(untrusted?.kind == .unusable)
            #expect(untrusted?.message.contains("DB_CA_FILE") == true)
        }
    }

    @Test("to a server that takes no writes says so")
    func readOnly() async throws {
        try await withDatabase { options in
            let first = try await PostgreSQLDatabase.open(options)
            _ = try await tool(
                options,
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'read-only' USING ERRCODE = '25006'; END $$; "
                    + "CREATE TRIGGER refuse BEFORE INSERT ON images EXECUTE FUNCTION refuse()")
            let fault = await #expect(throws: PortFault.self) {
                try await PostgreSQLStore(first).add([NewImage(path: "/a")], move: false)
            }
            #expect(fault?.kind == .unusable)
            #expect(fault?.message.contains("read-only") == true)
            await first.close()
            let closed = await #expect(throws: PortFault.self) { try await PostgreSQLStore(first).totals() }
            #expect(closed?.kind == .unusable)
        }
    }

    @Test(
        "gives each of the server's codes its kind, and after the server's words a guess that suits it",
        arguments: [
            ("53300", .transient, "max_connections"), ("40P01", .transient, nil),
            ("40001", .transient, nil),
            ("55P03", .transient, "another program holds the lock"), ("53100", .transient, "disk"),
            ("57P01", .transient, "starting or stopping"), ("57P03", .transient, "starts or stops"),
            ("25006", .unusable, "replica"), ("57014", .transient, "too long"), ("08006", .transient, nil),
            ("08P01", .transient, "PgBouncer"), ("22P02", .refused, nil), ("22003", .refused, "used up"),
            ("2200H", .refused, "used up"), ("22P05", .refused, "UTF8"), ("23505", .refused, "unique index"),
            ("23514", .refused, "partition"), ("22001", .refused, nil), ("54000", .refused, nil),
            ("P0001", .refused, "trigger"), ("38000", .refused, "trigger"),
            ("28P01", .unusable, "DB_PASSWORD"), ("28000", .unusable, "pg_hba.conf"), ("3D000", .unusable, "DB_NAME"),
            ("42501", .unusable, "GRANT"), ("42P01", .unusable, "farm init"), ("42703", .unusable, "farm init"),
            ("42804", .unusable, "another type"), ("42P05", .unusable, "pooler"), ("26000", .unusable, "pooler"),
            ("42601", .unusable, nil), ("42P07", .unusable, nil), ("XX000", .unusable, nil),
            ("XX001", .unusable, "damaged"),
        ] as [(String, PortFault.Kind, String?)])
    func codes(_ state: String, _ kind: PortFault.Kind, _ guess: String?) {
        let options = PostgreSQLOptions(host: "k1", name: "animal_farm", user: "u", password: { "p" })
        let fault = PortFault(
            PostgreSQLFault(state: state, message: "m", object: "results.data", isLost: false),
            Server(host: "k1", options: options))
        #expect(fault.kind == kind)
        let words = "the server said: m (\(state), results.data)"
        #expect(fault.message.hasPrefix(words + (guess == nil ? "" : "; perhaps ")))
        if let guess { #expect(fault.message.contains(guess)) } else { #expect(fault.message == words) }
        #expect(state == "42P01" || state == "42703" || !fault.message.contains("farm init"))
        #expect(fault.place == "PostgreSQL animal_farm on k1:5432")
    }
}
