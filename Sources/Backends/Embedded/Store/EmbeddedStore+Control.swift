import Foundation
import GRDB
import Pipeline

extension EmbeddedStore: ControlRecords {
    /// What is set now.
    public func control() async throws -> ControlSheet {
        let now = time.now()
        return try await file.read { ControlSheet(try ControlRows.all($0, at: now), now: now) }
    }

    /// Changes what is set; the file has one writer at a time.
    public func changeControl(
        of services: [String], _ change: @Sendable @escaping (ControlSheet) -> Result<ControlChange, any Error>
    ) async throws -> [ServiceControl] {
        let time = time
        let outcome = try await file.write { database -> Result<[ServiceControl], any Error> in
            let now = time.now()
            let rows = try ControlRows.all(database, at: now).filter { services.contains($0.service) }
            let sheet = ControlSheet(rows, now: now)
            switch change(sheet) {
            case .failure(let error): return .failure(error)
            case .success(let change):
                let changed = sheet.revised(change)
                for control in changed { try ControlRows.write(control, database) }
                if let entry = change.audit { try ControlRows.add(entry, at: now, database) }
                return .success(changed)
            }
        }
        return try outcome.get()
    }

    /// Leases tokens.
    public func leaseTokens(_ count: Int, returning returned: Int, of service: String) async throws -> TokenLease {
        let time = time
        return try await file.write { database in
            let now = time.now()
            let limit = try database.first("SELECT rate_limit FROM farm_control WHERE service = ?", [service]) {
                $0.real(0)
            }
            guard let rate = limit ?? nil, rate > 0 else { return .unlimited }
            var bucket =
                try database.first("SELECT tokens, refilled FROM farm_tokens WHERE service = ?", [service]) { row in
                    TokenBucket(
                        tokens: row.real(0) ?? 0, refilled: Date(timeIntervalSince1970: row.real(1) ?? 0))
                } ?? TokenBucket(refilled: now)
            let lease = bucket.lease(count, returning: returned, rate: rate, at: now)
            try database.run(
                """
                INSERT INTO farm_tokens (service, tokens, refilled) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET (tokens, refilled) = (excluded.tokens, excluded.refilled)
                """, [service, bucket.tokens, bucket.refilled.timeIntervalSince1970])
            return lease
        }
    }
}

extension EmbeddedStore: AuditRecords {
    /// Adds a row.
    public func audit(_ entry: AuditEntry) async throws {
        let now = time.now()
        try await file.write { try ControlRows.add(entry, at: now, $0) }
    }

    /// The newest first.
    public func auditPage(before id: Int?, limit: Int) async throws -> [AuditRow] {
        try await file.read { database in
            try database.all(
                """
                SELECT audit_id, at, who, act, filter, count FROM farm_audit WHERE audit_id < ?
                ORDER BY audit_id DESC LIMIT ?
                """, [id ?? Int.max, max(0, limit)]
            ) { row in
                AuditRow(
                    id: row.integer(0) ?? 0, at: row.time(1) ?? .distantPast,
                    entry: AuditEntry(
                        who: row.text(2) ?? "", act: row.text(3) ?? "", filter: row.text(4) ?? "",
                        count: row.integer(5) ?? 0))
            }
        }
    }
}

/// Rows of `farm_control` and `farm_audit`.
private enum ControlRows {
    static func all(_ database: Database, at now: Date) throws -> [ServiceControl] {
        try database.all(
            """
            SELECT service, paused, rate_limit, concurrency, until, reason, set_by, set_at, revision FROM farm_control
            """
        ) { row in
            var control = ServiceControl(service: row.text(0) ?? "")
            let until = row.time(4)
            control.isPaused = row.integer(1) == 1 && until.map { $0 > now } ?? true
            if control.isPaused { (control.until, control.reason) = (until, row.text(5)) }
            (control.rateLimit, control.concurrency) = (row.real(2), row.integer(3))
            (control.setBy, control.setAt) = (row.text(6) ?? "", row.time(7) ?? .distantPast)
            control.revision = row.integer(8) ?? 0
            return control
        }
    }

    static func write(_ control: ServiceControl, _ database: Database) throws {
        try database.run(
            """
            INSERT INTO farm_control (service, paused, rate_limit, concurrency, until, reason, set_by, set_at, revision)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET (paused, rate_limit, concurrency, until, reason, set_by, set_at, revision) =
                (excluded.paused, excluded.rate_limit, excluded.concurrency, excluded.until, excluded.reason,
                excluded.set_by, excluded.set_at, excluded.revision)
            """,
            [
                control.service, control.isPaused ? 1 : 0, control.rateLimit, control.concurrency,
                control.until.map(StoredTime.text), control.reason, control.setBy, StoredTime.text(control.setAt),
                control.revision,
            ])
    }

    static func add(_ entry: AuditEntry, at now: Date, _ database: Database) throws {
        try database.run(
            "INSERT INTO farm_audit (at, who, act, filter, count) VALUES (?, ?, ?, ?, ?)",
            [StoredTime.text(now), entry.who, entry.act, entry.filter, entry.count])
    }
}
