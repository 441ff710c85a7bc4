import CPostgreSQL
import Foundation
import Pipeline

/// Looks at a database without changing anything: can it be reached, is it new enough, has this user the rights it needs,
/// are the tables up to date, do the clocks agree?
public struct PostgreSQLProbe: Sendable {
    private let options: PostgreSQLOptions
    private let rows: [PlainRow]

    /// A probe of the database that these options name, and of its replica.
    /// - Parameter rows: what the roles here write, and the database should take.
    public init(_ options: PostgreSQLOptions, rows: [PlainRow] = []) {
        self.options = options
        self.rows = rows
    }

    /// What was found, the primary first.
    public func findings() async -> [Finding] {
        let rows = rows
        var findings = await look(at: Server(host: options.host, options: options)) { link in
            try PostgreSQLProbe.primary(link) + PostgreSQLProbe.refusals(of: rows, link)
        }
        if let replica = options.readHost {
            findings += await look(at: Server(host: replica, options: options), PostgreSQLProbe.replica)
        }
        return findings
    }

    private func look(at server: Server, _ questions: @Sendable (Link) throws -> [Finding]) async -> [Finding] {
        let session = Session(server)
        let findings: [Finding]
        do {
            findings = try await session.run(questions)
        } catch let fault as ServerFault {
            findings = [Finding(PortFault(fault, server), subject: server.place)]
        } catch {
            findings = [Finding(.failed, server.place, (error as? PortFault)?.message ?? "\(error)")]
        }
        await session.close()
        return findings
    }

    // MARK: Questions

    private static func primary(_ link: Link) throws -> [Finding] {
        let place = link.server.place
        if try isReplica(link) {
            return [
                Finding(
                    .failed, place,
                    "is a replica or in recovery, so nothing can be written: DB_HOST must be the primary")
            ]
        }
        let found = try clock(link) + [tables(link)] + rights(link)
        return [Finding(.ok, place, summary(link))] + found.compactMap { $0 }
    }

    private static func replica(_ link: Link) throws -> [Finding] {
        let place = "DB_READ_HOST: \(link.server.place)"
        guard try SchemaVersion.isCurrent(link) else {
            return [
                Finding(
                    .failed, place, "its tables are not up to date: run `farm init`, and wait until the replica has it")
            ]
        }
        let lag = try link.execute(
            "SELECT CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END"
        )?.first?.real(0)
        let age = lag.map { ", last change \(Int($0)) s ago" } ?? ""
        return [Finding(.ok, place, summary(link) + age)]
    }

    private static func summary(_ link: Link) -> String {
        let version = PQparameterStatus(link.connection, "server_version").map { String(cString: $0) } ?? "?"
        let protocolName = PQsslAttribute(link.connection, "protocol").map { String(cString: $0) }
        return "PostgreSQL \(version), \(protocolName ?? "no TLS")"
    }

    private static func isReplica(_ link: Link) throws -> Bool {
        try link.execute("SELECT pg_is_in_recovery()")?.first?.flag(0) ?? false
    }

    private static func clock(_ link: Link) throws -> [Finding?] {
        let before = Date().timeIntervalSince1970
        let clock = try link.execute("SELECT extract(epoch FROM clock_timestamp())")?.first?.real(0)
        let after = Date().timeIntervalSince1970
        return [clock.flatMap { Finding.skew(link.server.place, clock: $0, before: before, after: after) }]
    }

    private static func tables(_ link: Link) throws -> Finding? {
        let place = link.server.place
        let state = try SchemaState(link)
        let plan = try SchemaPlan(state, place: place)
        guard !plan.steps.isEmpty else { return nil }
        let user = link.server.options.user
        let changes = plan.steps.compactMap(\.told)
        let what =
            changes.prefix(3).joined(separator: ", ") + (changes.count > 3 ? " and \(changes.count - 3) more" : "")
        guard try mayChange(state, link) else {
            return Finding(
                .failed, place,
                "the tables are not up to date and \(user) may not change them (\(what)): an administrator runs the SQL that "
                    + "`farm init` prints")
        }
        return Finding(
            .warning, place, "the tables are not up to date: farm init, or the first role that writes, does: \(what)")
    }

    /// Whether this user may make tables, and owns those that are there.
    private static func mayChange(_ state: SchemaState, _ link: Link) throws -> Bool {
        let names = state.columns.keys.map { "'\($0)'" }.sorted().joined(separator: ", ")
        let row = try link.execute(
            """
            SELECT has_schema_privilege(current_schema(), 'CREATE'), NOT EXISTS (
                SELECT 1 FROM unnest(ARRAY[\(names)]::text[]) AS t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)
                WHERE NOT pg_has_role(c.relowner, 'USAGE'))
            """)?.first
        return row.map { $0.flag(0) && $0.flag(1) } ?? false
    }

    private static func rights(_ link: Link) throws -> [Finding?] {
        let names = (SharedTable.all.map(\.name) + OwnTables.names).map { "'\($0)'" }.joined(separator: ", ")
        let rows = try link.execute(
            """
            SELECT string_agg(name, ', ' ORDER BY name), rights FROM (
                SELECT t.name, string_agg(r.name, ', ' ORDER BY r.place) AS rights FROM unnest(ARRAY[\(names)]) AS t(name)
                CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS r(name, place)
                WHERE to_regclass(t.name) IS NOT NULL AND NOT has_table_privilege(to_regclass(t.name), r.name)
                GROUP BY t.name) lacking
            GROUP BY rights ORDER BY 1
            """)
        let sequences = try link.execute(
            """
            SELECT string_agg(s.oid::regclass::text, ', ' ORDER BY s.relname), 'USAGE' FROM unnest(ARRAY[\(names)]) AS t(name)
            JOIN pg_depend d ON d.refobjid = to_regclass(t.name) AND d.deptype IN ('a', 'i')
            JOIN pg_class s ON s.oid = d.objid
            WHERE CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') ELSE false END HAVING count(*) > 0
            """)
        let user = "\"\(link.server.options.user.replacing("\"", with: "\"\""))\""
        func lacks(_ row: Row, on kind: String) -> Finding {
            let (objects, rights) = (kind + (row.text(0) ?? ""), row.text(1) ?? "")
            return Finding(
                .failed, link.server.place,
                "\(link.server.options.user) lacks \(rights) on \(objects): GRANT \(rights) ON \(objects) TO \(user);")
        }
        return (rows?.map { lacks($0, on: "") } ?? []) + (sequences?.map { lacks($0, on: "SEQUENCE ") } ?? [])
    }
}
