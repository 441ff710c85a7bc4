import Foundation
import Pipeline

extension PostgreSQLStore: SubmissionRecords {
    /// What is recorded of these scopes.
    public func submissions(_ scopes: [SubmissionScope]) async throws -> [SubmissionMark] {
        try await primary.run { connection in
            try connection.run([SubmissionTable.rows(of: scopes)])[0].map(SubmissionMark.init).compactMap { $0 }
        }
    }

    /// Makes a process the holder, one after another.
    public func takeSubmissions(
        _ fresh: [SubmissionMark], restarts: Bool, holder: UUID
    ) async throws -> [SubmissionMark] {
        try await primary.run { connection in
            // Another holder's mark that is under way comes first, or finds that it is not the holder any more.
            let reads = [Locks.submissions, SubmissionTable.locked(fresh.map(\.scope))]
            return try connection.transaction(.current, reads) { answers -> ([SubmissionMark], [Statement]) in
                let stored = restarts ? [] : answers[1].map(SubmissionMark.init).compactMap { $0 }
                let byScope = Dictionary(stored.map { ($0.scope, $0) }) { first, _ in first }
                let marks = fresh.map { byScope[$0.scope]?.inherited ?? $0 }
                return (marks, [SubmissionTable.insert(marks, holder: holder)])
            }
        }
    }

    /// Writes how far the holder has come, all or nothing. Rows are locked in the order of their keys.
    public func mark(_ marks: [SubmissionMark], holder: UUID) async throws -> Bool {
        guard !marks.isEmpty else { return true }
        return try await primary.run { connection in
            let read = SubmissionTable.held(marks.map(\.scope), by: holder)
            return try connection.transaction(.current, [read]) { answers -> (Bool, [Statement]) in
                guard answers[0].count == marks.count else { return (false, []) }
                return (true, [SubmissionTable.insert(marks, holder: holder)])
            }
        }
    }
}

/// The statements of `farm_submissions`.
enum SubmissionTable {
    static let tables = [
        // How far submissions in a window have come. image_group is empty where images of any group are meant.
        (
            name: "farm_submissions",
            sql: """
            CREATE TABLE IF NOT EXISTS farm_submissions (
                service TEXT NOT NULL, image_group TEXT NOT NULL, kind TEXT NOT NULL, pass UUID NOT NULL,
                holder UUID NOT NULL, after_id BIGINT NOT NULL, claimed_id BIGINT NOT NULL, doubts TEXT NOT NULL,
                images BIGINT NOT NULL, baseline BIGINT NOT NULL, is_over BOOLEAN NOT NULL,
                changed TIMESTAMPTZ NOT NULL DEFAULT now(), PRIMARY KEY (service, image_group, kind))
                WITH (fillfactor = 50)
            """
        )
    ]

    private static let columns =
        "s.service, s.image_group, s.kind, s.pass, s.after_id, s.claimed_id, s.doubts, s.images, s.baseline, s.is_over"

    private static func named(_ scopes: [SubmissionScope]) -> [Statement.Value] {
        [
            .texts(scopes.map(\.service)), .texts(scopes.map { $0.group ?? "" }), .texts(scopes.map(\.kind.rawValue)),
        ]
    }

    private static let wanted = """
        FROM farm_submissions s JOIN unnest($1::text[], $2::text[], $3::text[]) AS w(service, image_group, kind)
        USING (service, image_group, kind)
        """

    static func rows(of scopes: [SubmissionScope]) -> Statement {
        Statement("SELECT \(columns) \(wanted)", values: named(scopes))
    }

    /// The same, locked in the order in which `held` locks them.
    static func locked(_ scopes: [SubmissionScope]) -> Statement {
        Statement(
            "SELECT \(columns) \(wanted) ORDER BY s.service, s.image_group, s.kind FOR UPDATE OF s",
            values: named(scopes))
    }

    /// Locks those of these rows that have this holder.
    static func held(_ scopes: [SubmissionScope], by holder: UUID) -> Statement {
        Statement(
            """
            SELECT s.service \(wanted) WHERE s.holder = $4::uuid ORDER BY s.service, s.image_group, s.kind
            FOR UPDATE OF s
            """, values: named(scopes) + [.uuid(holder)])
    }

    static func insert(_ marks: [SubmissionMark], holder: UUID) -> Statement {
        let columns = "service, image_group, kind, pass, after_id, claimed_id, doubts, images, baseline, is_over"
        return Statement(
            """
            INSERT INTO farm_submissions AS s (\(columns), holder)
            SELECT service, image_group, kind, pass, after_id, claimed_id, doubts, images, baseline, is_over <> 0, $11::uuid
            FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[],
                $8::bigint[], $9::bigint[], $10::bigint[]) AS m(\(columns))
            ORDER BY service, image_group, kind
            ON CONFLICT (service, image_group, kind) DO UPDATE SET
                (pass, holder, after_id, claimed_id, doubts, images, baseline, is_over, changed) =
                (excluded.pass, excluded.holder, excluded.after_id, excluded.claimed_id, excluded.doubts,
                excluded.images, excluded.baseline, excluded.is_over, now())
            """,
            values: named(marks.map(\.scope)) + [
                .uuids(marks.map(\.pass)), .integers(marks.map(\.after)), .integers(marks.map(\.claimed)),
                .texts(marks.map(\.doubtsText)), .integers(marks.map(\.images)), .integers(marks.map(\.baseline)),
                .integers(marks.map { $0.isOver ? 1 : 0 }), .uuid(holder),
            ])
    }
}

extension SubmissionMark {
    /// - Parameter row: as `SubmissionTable.rows` has it.
    fileprivate init?(_ row: Row) {
        guard let kind = row.text(2).flatMap(SubmissionKind.init),
            let pass = row.text(3).flatMap({ UUID(uuidString: $0) })
        else { return nil }
        let group = row.text(1) ?? ""
        self.init(
            scope: SubmissionScope(service: row.text(0) ?? "", group: group.isEmpty ? nil : group, kind: kind),
            pass: pass, baseline: row.integer(8) ?? 0)
        (after, claimed) = (row.integer(4) ?? 0, row.integer(5) ?? 0)
        doubts = SubmissionMark.doubts(row.text(6) ?? "")
        (images, isOver) = (row.integer(7) ?? 0, row.flag(9))
    }
}
