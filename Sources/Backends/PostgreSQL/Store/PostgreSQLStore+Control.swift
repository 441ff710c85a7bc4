import Foundation
import Pipeline

extension PostgreSQLStore: ControlRecords {
    /// What is set now. A replica may be behind, so that workers ask the primary.
    public func control() async throws -> ControlSheet {
        try await primary.run { connection in
            PostgreSQLStore.sheet(try connection.run([ControlTables.now, ControlTables.all]))
        }
    }

    /// Changes what is set, one act after another.
    public func changeControl(
        of services: [String], _ change: @Sendable @escaping (ControlSheet) -> Result<ControlChange, any Error>
    ) async throws -> [ServiceControl] {
        let outcome = try await primary.run { connection in
            let reads = [Locks.control, ControlTables.now, ControlTables.rows(of: services)]
            return try connection.transaction(.current, reads) {
                answers -> (Result<[ServiceControl], any Error>, [Statement]) in
                let sheet = PostgreSQLStore.sheet(Array(answers.dropFirst()))
                switch change(sheet) {
                case .failure(let error): return (.failure(error), [])
                case .success(let change):
                    let changed = sheet.revised(change)
                    let audit = change.audit.map { [ControlTables.add($0)] } ?? []
                    return (.success(changed), changed.isEmpty ? audit : [ControlTables.write(changed)] + audit)
                }
            }
        }
        return try outcome.get()
    }

    /// Leases tokens under the lock of the bucket's row.
    public func leaseTokens(_ count: Int, returning returned: Int, of service: String) async throws -> TokenLease {
        try await primary.run { connection in
            let reads = [ControlTables.makeBucket(service), ControlTables.bucket(service), ControlTables.now]
            return try connection.transaction(.current, reads) { answers -> (TokenLease, [Statement]) in
                guard let row = answers[1].first, let tokens = row.real(0), let refilled = row.time(1),
                    let rate = row.real(2), rate > 0, let now = answers[2].first?.time(0)
                else { return (.unlimited, []) }
                var bucket = TokenBucket(tokens: tokens, refilled: refilled)
                let lease = bucket.lease(count, returning: returned, rate: rate, at: now)
                return (lease, [ControlTables.write(bucket, of: service)])
            }
        }
    }

    /// - Parameter answers: to the clock and to the rows.
    private static func sheet(_ answers: [Rows]) -> ControlSheet {
        ControlSheet(answers[1].map(ServiceControl.init), now: answers[0].first?.time(0) ?? Date())
    }
}

extension PostgreSQLStore: AuditRecords {
    /// Adds a row.
    public func audit(_ entry: AuditEntry) async throws {
        try await primary.run { connection in _ = try connection.run([ControlTables.add(entry)]) }
    }

    /// The newest first. A replica may be behind.
    public func auditPage(before id: Int?, limit: Int) async throws -> [AuditRow] {
        try await replica.run { connection in
            let page = Statement(
                """
                SELECT audit_id, extract(epoch FROM at), who, act, filter, count FROM farm_audit
                WHERE audit_id < $1::bigint ORDER BY audit_id DESC LIMIT $2::bigint
                """, .integer(id ?? .max), .integer(max(0, limit)))
            return try connection.run([page])[0].map { row in
                AuditRow(
                    id: row.integer(0) ?? 0, at: row.time(1) ?? .distantPast,
                    entry: AuditEntry(
                        who: row.text(2) ?? "", act: row.text(3) ?? "", filter: row.text(4) ?? "",
                        count: row.integer(5) ?? 0))
            }
        }
    }
}
