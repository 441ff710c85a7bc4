import Foundation
import GRDB
import Model
import Pipeline

extension EmbeddedStore: SubmissionRecords {
    /// What is recorded of these scopes.
    public func submissions(_ scopes: [SubmissionScope]) async throws -> [SubmissionMark] {
        try await file.read { database in try scopes.compactMap { try SubmissionRows.mark($0, database) } }
    }

    /// Makes a process the holder; the file has one writer at a time.
    public func takeSubmissions(
        _ fresh: [SubmissionMark], restarts: Bool, holder: UUID
    ) async throws -> [SubmissionMark] {
        let now = now
        return try await file.write { database in
            try fresh.map { fresh in
                let stored = restarts ? nil : try SubmissionRows.mark(fresh.scope, database)
                let mark = stored?.inherited ?? fresh
                try SubmissionRows.write(mark, holder: holder, at: now, database)
                return mark
            }
        }
    }

    /// Writes how far the holder has come.
    public func mark(_ marks: [SubmissionMark], holder: UUID) async throws -> Bool {
        let now = now
        return try await file.write { database in
            for mark in marks where try SubmissionRows.holder(of: mark.scope, database) != holder.text { return false }
            for mark in marks { try SubmissionRows.write(mark, holder: holder, at: now, database) }
            return true
        }
    }
}

/// Rows of `farm_submissions`.
private enum SubmissionRows {
    private static func key(_ scope: SubmissionScope) -> StatementArguments {
        [scope.service, scope.group ?? "", scope.kind.rawValue]
    }

    static func mark(_ scope: SubmissionScope, _ database: Database) throws -> SubmissionMark? {
        try database.first(
            """
            SELECT pass, after_id, claimed_id, doubts, images, baseline, is_over FROM farm_submissions
            WHERE service = ? AND image_group = ? AND kind = ?
            """, key(scope)
        ) { row in
            guard let pass = row.text(0).flatMap({ UUID(uuidString: $0) }) else { return nil }
            var mark = SubmissionMark(scope: scope, pass: pass, baseline: row.integer(5) ?? 0)
            (mark.after, mark.claimed) = (row.integer(1) ?? 0, row.integer(2) ?? 0)
            mark.doubts = SubmissionMark.doubts(row.text(3) ?? "")
            (mark.images, mark.isOver) = (row.integer(4) ?? 0, row.integer(6) == 1)
            return mark
        } ?? nil
    }

    static func holder(of scope: SubmissionScope, _ database: Database) throws -> String? {
        try database.first(
            "SELECT holder FROM farm_submissions WHERE service = ? AND image_group = ? AND kind = ?", key(scope)
        ) { $0.text(0) } ?? nil
    }

    static func write(_ mark: SubmissionMark, holder: UUID, at now: String, _ database: Database) throws {
        try database.run(
            """
            INSERT INTO farm_submissions (service, image_group, kind, pass, holder, after_id, claimed_id, doubts, images,
                baseline, is_over, changed)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET (pass, holder, after_id, claimed_id, doubts, images, baseline, is_over, changed) =
                (excluded.pass, excluded.holder, excluded.after_id, excluded.claimed_id, excluded.doubts,
                excluded.images, excluded.baseline, excluded.is_over, excluded.changed)
            """,
            [
                mark.scope.service, mark.scope.group ?? "", mark.scope.kind.rawValue, mark.pass.text, holder.text,
                mark.after, mark.claimed, mark.doubtsText, mark.images, mark.baseline, mark.isOver ? 1 : 0, now,
            ])
    }
}
