import Foundation
import Pipeline

extension DatabaseStore: SubmissionRecords {
    func submissions(_ scopes: [SubmissionScope]) async throws -> [SubmissionMark] {
        try await read("submissions") { tables in scopes.compactMap { tables.submissions[$0]?.mark } }
    }

    func takeSubmissions(
        _ fresh: [SubmissionMark], restarts: Bool, holder: UUID
    ) async throws -> [SubmissionMark] {
        let isForgetful = database.conditions.plan.plant == .forgetfulWindow
        return try await write("taking submissions") { tables in
            fresh.map { fresh in
                let stored = restarts || isForgetful ? nil : tables.submissions[fresh.scope]?.mark
                let mark = stored?.inherited ?? fresh
                tables.submissions[fresh.scope] = (mark, holder)
                return mark
            }
        }
    }

    func mark(_ marks: [SubmissionMark], holder: UUID) async throws -> Bool {
        try await write("marking submissions") { tables in
            guard marks.allSatisfy({ tables.submissions[$0.scope]?.holder == holder }) else { return false }
            for mark in marks { tables.submissions[mark.scope] = (mark, holder) }
            return true
        }
    }
}
