import Foundation
import Pipeline

extension MariaDBHeartbeats {
    /// Looks at the monitoring database without changing anything: can it be reached, is it new enough, is the table there,
    /// has the user the rights it needs, do the clocks agree?
    public func findings() async -> [Finding] {
        let probe = MariaDBProbe(options: options)
        do { return try await reading.run { try probe.look($0) } } catch {
            return [Finding(.failed, options.place, (error as? PortFault)?.message ?? "\(error)")]
        }
    }
}

/// The questions of `findings`.
private struct MariaDBProbe {
    let options: MariaDBOptions

    func look(_ connection: Connection) throws -> [Finding] {
        let version = try connection.text("SELECT version()") ?? "?"
        let cipher = try connection.run("SHOW SESSION STATUS LIKE 'Ssl_version'").first?.last ?? nil
        let isTooOld = isTooOld(version)
        let summary = "version \(version), \(cipher.flatMap { $0.isEmpty ? nil : $0 } ?? "no TLS")"
        let first = Finding(
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

    private func clock(_ connection: Connection) throws -> [Finding] {
        let before = Date().timeIntervalSince1970
        let clock = try connection.text("SELECT unix_timestamp(now(3))").flatMap(Double.init)
        let after = Date().timeIntervalSince1970
        return [clock.flatMap { Finding.skew(options.place, clock: $0, before: before, after: after) }].compactMap {
            $0
        }
    }

    /// Each right by a statement that needs it and touches no row.
    private func table(_ connection: Connection) throws -> [Finding] {
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
            do { try connection.run(sql) } catch let fault as ServerFault where fault.isOfPermission {
                missing.append(right)
            } catch let fault as ServerFault where !fault.isLost {
                // Without the table, or a column of it, the rest says nothing more.
                return [Finding(PortFault(fault, options), subject: options.place)]
            }
        }
        guard !missing.isEmpty else { return [] }
        return [
            Finding(
                .failed, options.place,
                "\(options.user) lacks \(missing.joined(separator: ", ")) on \(table); an administrator runs: \(options.grant)"
            )
        ]
    }
}

extension Connection {
    fileprivate func text(_ sql: String) throws -> String? { try run(sql).first?.first ?? nil }
}
