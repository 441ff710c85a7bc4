import Foundation
import Model
import Pipeline
import PostgreSQL
import Servers
import Testing

@Suite("What operators have set, in PostgreSQL")
struct PostgreSQLControlTests {
    @Test("has its tables in an older farm's database too, whose workers go on")
    func upgrade() async throws {
        try await withDatabase { options in
            await (try await PostgreSQLDatabase.open(options)).close()
            _ = try await tool(
                options,
                """
                DROP TABLE farm_control, farm_tokens, farm_audit; ALTER TABLE farm_workers DROP COLUMN revision;
                DELETE FROM farm_schema; INSERT INTO farm_schema VALUES (3, 1)
                """)
            let older = """
                INSERT INTO farm_workers (run, queue, worker_id, service, host, state, silence)
                VALUES (gen_random_uuid(), 'queue_clip', 'old', 'clip', 'k1', 'working', 60)
                """
            _ = try await tool(options, older)
            let database = try await PostgreSQLDatabase.open(options)
            let done = try await database.prepare()
            #expect(done.contains("table farm_control created") && done.contains("column farm_workers.revision added"))
            #expect(try await database.prepare().isEmpty)
            let store = PostgreSQLStore(database)
            #expect(try await store.control().controls.isEmpty)
            _ = try await tool(options, older)
            #expect(try await store.liveWorkers().map(\.revision) == [nil, nil])
            await database.close()
        }
    }

    @Test("can be read by who only reads, and be set by a worker's user whom the administrator's script lets in")
    func rights() async throws {
        let server = try PostgreSQLServer.shared()
        let place = try await server.database()
        let administrator = try await PostgreSQLDatabase.open(server.options(place.name))
        let tables = try await server.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", in: place.name)
            .map { $0[0] }.joined(separator: ", ")
        // As in `SchemaPlan.script`.
        _ = try await server.run(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON \(tables) TO \(place.user)", in: place.name)
        let database = try await PostgreSQLDatabase.open(server.options(place))
        let store = PostgreSQLStore(database)
        _ = try await store.changeControl(of: ["clip"]) { sheet in
            var control = sheet["clip"]
            (control.rateLimit, control.setBy, control.setAt) = (20, "anna", sheet.now)
            let entry = AuditEntry(who: "anna", act: "limit", filter: "clip", count: 1)
            return .success(ControlChange([control], audit: entry))
        }
        #expect(try await store.leaseTokens(1, returning: 0, of: "clip") == .granted(1))
        _ = try await server.run("REVOKE INSERT, UPDATE, DELETE ON \(tables) FROM \(place.user)", in: place.name)
        let reader = try await PostgreSQLDatabase.open(server.options(place), readsOnly: true)
        let read = PostgreSQLStore(reader)
        #expect(try await read.control()["clip"].rateLimit == 20)
        #expect(try await read.auditPage(before: nil, limit: 9).map(\.entry.act) == ["limit"])
        let fault = await #expect(throws: PortFault.self) {
            try await read.audit(AuditEntry(who: "x", act: "x", filter: "", count: 0))
        }
        #expect(fault?.message.contains("permission denied") == true, "\(fault?.message ?? "")")
        for opened in [reader, database, administrator] { await opened.close() }
        await server.remove(place)
    }
}
