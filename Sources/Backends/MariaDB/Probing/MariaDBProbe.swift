import Dispatch
import Foundation
import Pipeline

extension MariaDBHeartbeats {
    /// Checks the monitoring database without changing anything: can it be reached, is it new enough, is the table
    /// there, does the user have the necessary rights, do the clocks agree?
    public func findings() async -> [CheckFinding] {
        let probe = MariaDBProbe(options: options)
        do { return try await reading.run { try probe.look($0) } } catch {
            let message = (error as? PortFault)?.message ?? "\(error)"
            // A separate connection finds out, since the server's words are those about a wrong password.
            guard !options.tls, await takesTLSAlone() else { return [CheckFinding(.failed, options.place, message)] }
            return [
                CheckFinding(
                    .failed, options.place,
                    "\(message). It is not the password: by TLS the server lets \(options.user) in, so set MONITORING_DB_TLS=true"
                )
            ]
        }
    }

    /// Whether this user may log in only with TLS. A password that the options would send unencrypted may be sent to
    /// whoever answers.
    private func takesTLSAlone() async -> Bool {
        let options = options
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let connection = try? MariaDBConnection(
                    options, protection: .encrypted, seconds: MariaDBHeartbeats.limit)
                continuation.resume(returning: connection != nil)
            }
        }
    }
}

/// The questions of `findings`.
private struct MariaDBProbe {
    let options: MariaDBOptions

    func look(_ connection: MariaDBConnection) throws -> [CheckFinding] {
        let version = try connection.text("SELECT version()") ?? "?"
        let cipher = try connection.run("SHOW SESSION STATUS LIKE 'Ssl_version'").first?.last ?? nil
        let isTooOld = isTooOld(version)
        let summary = "version \(version), \(cipher.flatMap { $0.isEmpty ? nil : $0 } ?? "no TLS")"
        let first = CheckFinding(
            isTooOld ? .failed : .ok, options.place,
            isTooOld ? "\(summary): too old, farm needs MariaDB 10.2 or MySQL 5.7" : summary)
        return try [first] + clock(connection) + table(connection)
    }

    /// MariaDB calls itself `10.11.6-MariaDB`, or to old clients `5.5.5-10.11.6-MariaDB`.
    private func isTooOld(_ version: String) -> Bool {
        let isMariaDB = version.localizedCaseInsensitiveContains("mariadb")
        let numbers = (version.hasPrefix("5.5.5-") ? String(version.dropFirst(6)) : version)
            .split(whereSeparator: { $0 == "." || $0 == "-" }).prefix(2).compactMap { Int($0) }
        guard numbers.count == 2 else { return false }
        return (numbers[0], numbers[1]) < (isMariaDB ? (10, 2) : (5, 7))
    }

    private func clock(_ connection: MariaDBConnection) throws -> [CheckFinding] {
        let before = Date().timeIntervalSince1970
        let clock = try connection.text("SELECT unix_timestamp(now(3))").flatMap(Double.init)
        let after = Date().timeIntervalSince1970
        return [clock.flatMap { CheckFinding.skew(options.place, clock: $0, before: before, after: after) }].compactMap
        {
            $0
        }
    }

    // MARK: The table

    private func table(_ connection: MariaDBConnection) throws -> [CheckFinding] {
        do { return try rights(connection) + ids(connection) } catch let fault as MariaDBFault where !fault.isLost {
            // Without the table, or one of its columns, the other questions say nothing more.
            return [CheckFinding(PortFault(fault, options), subject: options.place)]
        }
    }

    /// Tests each right with a statement that needs it and touches no row.
    private func rights(_ connection: MariaDBConnection) throws -> [CheckFinding] {
        let table = HeartbeatTable.name
        let statements = [
            (
                "SELECT",
                "SELECT \(HeartbeatTable.columns.map(\.name).joined(separator: ", ")) FROM \(table) WHERE 1 = 0"
            ),
            ("INSERT", "INSERT INTO \(table) (worker_id) SELECT 'farm' FROM (SELECT 1) one WHERE 1 = 0"),
            ("UPDATE", "UPDATE \(table) SET worker_id = 'farm' WHERE 1 = 0"),
        ]
        var missing: [String] = []
        for (right, sql) in statements {
            do { try connection.run(sql) } catch let fault as MariaDBFault where fault.isOfPermission {
                missing.append(right)
            }
        }
        guard !missing.isEmpty else { return [] }
        let account = try? connection.text("SELECT CURRENT_USER()")
        return [
            CheckFinding(
                .failed, options.place,
                "\(options.user) lacks \(missing.joined(separator: ", ")) on \(table); an administrator runs: "
                    + options.grant(to: account))
        ]
    }

    /// How many of the ids are used.
    private func ids(_ connection: MariaDBConnection) throws -> [CheckFinding] {
        let row = try connection.run(
            """
            SELECT t.auto_increment, c.column_type FROM information_schema.tables t JOIN information_schema.columns c
            ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.column_name = 'id'
            WHERE t.table_schema = DATABASE() AND t.table_name = ?
            """, [HeartbeatTable.name]
        ).first
        guard let row, row.count == 2, let next = row[0].flatMap(Double.init), let type = row[1]?.lowercased(),
            let bits = MariaDBProbe.bits.first(where: { type.hasPrefix($0.type) })?.bits
        else { return [] }
        let last = exp2(Double(type.contains("unsigned") ? bits : bits - 1)) - 1
        let mending = "ALTER TABLE \(HeartbeatTable.name) MODIFY id BIGINT AUTO_INCREMENT"
        return [
            CheckFinding.fill(of: "\(HeartbeatTable.name).id", next - 1, of: last, mending: mending, at: options.place)
        ]
        .compactMap { $0 }
    }

    private static let bits: [(type: String, bits: Int)] = [
        ("tinyint", 8), ("smallint", 16), ("mediumint", 24), ("int", 32), ("bigint", 64),
    ]
}

extension MariaDBConnection {
    fileprivate func text(_ sql: String) throws -> String? { try run(sql).first?.first ?? nil }
}
