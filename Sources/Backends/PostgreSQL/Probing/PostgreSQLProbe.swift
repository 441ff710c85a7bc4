import CPostgreSQL
import Foundation
import Pipeline

/// Checks a database without changing anything: can it be reached and how, is it new enough, can it hold all text, does
/// this user have the necessary rights, are the tables up to date, are there ids left, do the clocks agree?
public struct PostgreSQLProbe: Sendable {
    private let options: PostgreSQLOptions
    private let rows: [PlainRow]

    /// A probe of the database that these options name, and of its replica.
    /// - Parameter rows: the kinds of rows that the roles here write.
    public init(_ options: PostgreSQLOptions, rows: [PlainRow] = []) {
        self.options = options
        self.rows = rows
    }

    /// The findings, the primary's first.
    public func findings() async -> [CheckFinding] {
        let rows = rows
        var findings = await look(at: Server(host: options.host, options: options)) { connection, pooling in
            try PostgreSQLProbe.primary(connection, pooling) + PostgreSQLProbe.refusals(of: rows, connection)
        }
        if let replica = options.readHost {
            findings += await look(at: Server(host: replica, options: options), PostgreSQLProbe.replica)
        }
        return findings
    }

    private func look(
        at server: Server, _ questions: @Sendable @escaping (PostgreSQLConnection, Pooling?) throws -> [CheckFinding]
    ) async -> [CheckFinding] {
        let session = PooledConnection(server)
        let findings: [CheckFinding]
        do {
            let pooling = try await Pooling.found(session, server)
            findings = try await session.run { try questions($0, pooling) }
        } catch let fault as PostgreSQLFault {
            findings = [CheckFinding(PortFault(fault, server), subject: server.place)]
        } catch {
            findings = [CheckFinding(.failed, server.place, (error as? PortFault)?.message ?? "\(error)")]
        }
        await session.close()
        return findings
    }

    // MARK: Questions

    private static func primary(_ connection: PostgreSQLConnection, _ pooling: Pooling?) throws -> [CheckFinding] {
        let place = connection.server.place
        if try isReplica(connection) {
            return [
                CheckFinding(
                    .failed, place,
                    "is a replica or in recovery, so nothing can be written: DB_HOST must be the primary")
            ]
        }
        let server = try [encoding(connection), readOnly(connection), clock(connection), schema(connection)].compactMap
        { $0 }
        return try [CheckFinding(.ok, place, summary(connection, pooling))] + server + Rights.findings(connection)
            + Sequences.findings(connection)
    }

    private static func replica(_ connection: PostgreSQLConnection, _ pooling: Pooling?) throws -> [CheckFinding] {
        let place = "DB_READ_HOST: \(connection.server.place)"
        guard try PostgreSQLVersion.isCurrent(connection) else {
            return [
                CheckFinding(
                    .failed, place, "its tables are not up to date: run `farm init`, and wait until the replica has it")
            ]
        }
        let lag = try connection.execute(
            "SELECT CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END"
        )?.first?.real(0)
        let age = lag.map { ", last change \(Int($0)) s ago" } ?? ""
        return [CheckFinding(.ok, place, summary(connection, pooling) + age)]
    }

    private static func summary(_ connection: PostgreSQLConnection, _ pooling: Pooling?) -> String {
        let version = PQparameterStatus(connection.handle, "server_version").map { String(cString: $0) } ?? "?"
        let protocolName = PQsslAttribute(connection.handle, "protocol").map { String(cString: $0) }
        return "PostgreSQL \(version), \(protocolName ?? "no TLS")" + (pooling.map { ", \($0.text)" } ?? "")
    }

    private static func isReplica(_ connection: PostgreSQLConnection) throws -> Bool {
        try connection.execute("SELECT pg_is_in_recovery()")?.first?.flag(0) ?? false
    }

    /// The encoding of the database.
    private static func encoding(_ connection: PostgreSQLConnection) throws -> CheckFinding? {
        guard let encoding = try connection.execute("SHOW server_encoding")?.first?.text(0), encoding != "UTF8" else {
            return nil
        }
        let name = connection.server.options.name
        return CheckFinding(
            .failed, connection.server.place,
            "its encoding is \(encoding), not UTF8: answers with characters that it lacks, such as emoji, cannot be stored. Make "
                + "another database and copy the tables over (pg_dump, psql): CREATE DATABASE \("\(name)_utf8".quotedName) "
                + "ENCODING 'UTF8' TEMPLATE template0")
    }

    private static func readOnly(_ connection: PostgreSQLConnection) throws -> CheckFinding? {
        guard try connection.execute("SHOW default_transaction_read_only")?.first?.text(0) == "on" else { return nil }
        let (user, name) = (connection.server.options.user, connection.server.options.name)
        return CheckFinding(
            .failed, connection.server.place,
            "default_transaction_read_only is on, so nothing may be written. Whoever set it had a reason, perhaps a full disk; "
                + "else: ALTER DATABASE \(name.quotedName) RESET default_transaction_read_only, or ALTER ROLE "
                + "\(user.quotedName) RESET default_transaction_read_only, or ALTER SYSTEM RESET of it and pg_reload_conf()"
        )
    }

    private static func clock(_ connection: PostgreSQLConnection) throws -> CheckFinding? {
        let before = Date().timeIntervalSince1970
        let clock = try connection.execute("SELECT extract(epoch FROM clock_timestamp())")?.first?.real(0)
        let after = Date().timeIntervalSince1970
        return clock.flatMap { CheckFinding.skew(connection.server.place, clock: $0, before: before, after: after) }
    }

    private static func schema(_ connection: PostgreSQLConnection) throws -> CheckFinding? {
        let place = connection.server.place
        let state = try SchemaState(connection)
        guard state.schema != nil else { return try Rights.schema(connection) }
        let plan: SchemaPlan
        do { plan = try SchemaPlan(state, place: place) } catch let fault as PortFault {
            return CheckFinding(fault, subject: place)
        }
        guard !plan.steps.isEmpty else { return nil }
        let user = connection.server.options.user
        let changes = plan.steps.compactMap(\.told)
        let what =
            changes.prefix(3).joined(separator: ", ") + (changes.count > 3 ? " and \(changes.count - 3) more" : "")
        guard try Rights.mayChange(state, connection) else {
            return CheckFinding(
                .failed, place,
                "the tables are not up to date and \(user) may not change them (\(what)): an administrator runs the SQL that "
                    + "`farm init` prints")
        }
        return CheckFinding(
            .warning, place,
            "the tables are not up to date: farm init, or the first role that writes, will do this: \(what)")
    }
}
