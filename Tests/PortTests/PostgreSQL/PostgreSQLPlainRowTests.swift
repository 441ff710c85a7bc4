import Foundation
import Model
import Pipeline
@testable import PostgreSQL
import Servers
import Testing

@Suite("A plain row in PostgreSQL")
struct PostgreSQLPlainRowTests {
    private static let result = PlainRow.result(service: "blip", workerID: "w1")

    /// A state of the server's, made and mended by SQL, in which it takes no row of a kind.
    struct State: Sendable, CustomTestStringConvertible {
        var name: String
        var row: PlainRow
        var making: String
        var words: String
        var mending: String

        var testDescription: String { name }
    }

    private static func sequence(_ table: String, _ id: String, _ row: PlainRow) -> State {
        let sequence = "\(table)_\(id)_seq"
        return State(
            name: "\(sequence) at its end", row: row,
            making: "ALTER SEQUENCE \(sequence) MAXVALUE 9 RESTART 9; SELECT nextval('\(sequence)')",
            words: "reached maximum value of sequence", mending: "ALTER SEQUENCE \(sequence) NO MAXVALUE")
    }

    private static func raising(_ state: String, _ table: String, _ row: PlainRow) -> State {
        State(
            name: "a foreign trigger on \(table) that raises \(state)", row: row,
            making: """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE 'not today' USING ERRCODE = '\(state)'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON \(table) FOR EACH ROW EXECUTE FUNCTION refuse()
                """, words: "not today", mending: "DROP TRIGGER refuse ON \(table)")
    }

    static let states = [
        sequence("results", "result_id", result), sequence("merged_boxes", "merged_id", .box(workerID: "w1")),
        sequence("postprocessing", "postprocessing_id", .enrichment),
        sequence("consensus", "consensus_id", .consensus),
        State(
            name: "a sequence that lags behind its table", row: result,
            making: "SELECT setval('results_result_id_seq', 1, false)", words: "results_pkey",
            mending: "SELECT setval('results_result_id_seq', 100)"),
        State(
            name: "a CHECK of another program's", row: result,
            making: "ALTER TABLE results ADD CONSTRAINT theirs CHECK (service <> 'blip') NOT VALID", words: "theirs",
            mending: "ALTER TABLE results DROP CONSTRAINT theirs"),
        State(
            name: "a deferred constraint of another program's", row: .consensus,
            making: """
                CREATE TABLE theirs (id int PRIMARY KEY);
                ALTER TABLE consensus ADD COLUMN their_id int DEFAULT 1;
                ALTER TABLE consensus ADD CONSTRAINT key_of_theirs FOREIGN KEY (their_id) REFERENCES theirs
                    DEFERRABLE INITIALLY DEFERRED NOT VALID
                """, words: "key_of_theirs", mending: "INSERT INTO theirs VALUES (1)"),
        State(
            name: "a trigger that drops what is inserted", row: result,
            making: """
                CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
                CREATE TRIGGER drop_it BEFORE INSERT ON results FOR EACH ROW EXECUTE FUNCTION drop_it()
                """, words: "did not keep it", mending: "DROP TRIGGER drop_it ON results"),
        raising("P0001", "merged_boxes", .box(workerID: "w1")), raising("25006", "results", result),
    ]

    @Test("is refused in the server's own words, until it is mended", arguments: states)
    func refused(_ state: State) async throws {
        try await StoreBackend.postgresql.run { base in
            _ = try await base.furnished()
            try await base.execute(state.making)
            let fault = try await base.store.refusal(of: state.row)
            #expect(fault?.message.contains(state.words) == true, "\(fault.map { "\($0)" } ?? "taken")")
            #expect(fault?.kind != .transient)
            try await base.execute(state.mending)
            #expect(try await base.store.refusal(of: state.row) == nil)
        }
    }

    @Test("is refused where the encoding of the database has no emoji")
    func encoding() async throws {
        let server = try PostgreSQLServer.shared()
        let name = "latin_\(UUID().uuidString.prefix(8).lowercased())"
        try await server.run("CREATE DATABASE \(name) ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        let database = try await PostgreSQLDatabase.open(server.options(name))
        let store = PostgreSQLStore(database)
        _ = try await store.add([NewImage(filename: "1.jpg")], move: false)
        for row in plainRows where row != .enrichment {
            let fault = try await store.refusal(of: row)
            #expect(fault?.message.contains("LATIN1") == true, "\(row): \(fault.map { "\($0)" } ?? "taken")")
        }
        await database.close()
        try await server.run("DROP DATABASE \(name) WITH (FORCE)")
    }

    @Test("is refused where a right is missing, by the name of the table")
    func rights() async throws {
        let server = try PostgreSQLServer.shared()
        let place = try await server.database()
        let database = try await PostgreSQLDatabase.open(server.options(place))
        let store = PostgreSQLStore(database)
        _ = try await store.add([NewImage(filename: "1.jpg")], move: false)
        for table in ["results", "farm_begun", "farm_stale"] {
            _ = try await server.run("REVOKE INSERT ON \(table) FROM \(place.user)", in: place.name)
            let fault = try await store.refusal(of: Self.result)
            #expect(fault?.message.contains("permission denied for table \(table)") == true)
            _ = try await server.run("GRANT INSERT ON \(table) TO \(place.user)", in: place.name)
            #expect(try await store.refusal(of: Self.result) == nil)
        }
        await database.close()
        await server.remove(place)
    }

    @Test("is refused for an image whose partition is missing, and for no other")
    func partition() async throws {
        try await withDatabase { options in
            _ = try await tool(
                options,
                """
                CREATE TABLE results (result_id SERIAL, image_id INT, service VARCHAR(50), data JSONB, status VARCHAR(20),
                    processing_time FLOAT, result_created TIMESTAMP DEFAULT NOW(), worker_id VARCHAR(50),
                    PRIMARY KEY (result_id, image_id)) PARTITION BY RANGE (image_id);
                CREATE TABLE results_1 PARTITION OF results FOR VALUES FROM (1) TO (2)
                """)
            let database = try await PostgreSQLDatabase.open(options)
            let store = PostgreSQLStore(database)
            let ids = try await store.add((1...2).map { NewImage(filename: "\($0).jpg") }, move: false).ids
            #expect(ids == [1, 2])
            #expect(try await store.refusal(of: Self.result, of: 1) == nil)
            for image in [2, nil] {
                let fault = try await store.refusal(of: Self.result, of: image)
                #expect(fault?.message.contains("no partition of relation \"results\"") == true)
            }
            _ = try await tool(options, "CREATE TABLE results_2 PARTITION OF results FOR VALUES FROM (2) TO (3)")
            #expect(try await store.refusal(of: Self.result, of: 2) == nil)
            await database.close()
        }
    }
}
