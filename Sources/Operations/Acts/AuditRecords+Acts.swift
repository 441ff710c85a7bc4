import Pipeline
import Waiting

extension AuditRecords {
    /// Does something that leaves two rows: one before its first change, so that it is known also of a process that
    /// dies meanwhile, and one with what it came to, also where it failed. What changes nothing leaves none.
    /// - Parameter work: calls what it is given before each change.
    /// - Returns: what `act` returned.
    /// - Throws: `PortFault`; what `act` threw.
    package func auditing<Answer>(
        _ act: String, of filter: String, by who: String,
        _ work: (@escaping @Sendable () async throws -> Void) async -> Answer,
        outcome: (Answer) -> (count: Int, failure: (any Error)?)
    ) async throws -> Answer {
        let hasBegun = Watched(false)
        let answer = await work {
            let isFirst = hasBegun.change { hasBegun in
                defer { hasBegun = true }
                return !hasBegun
            }
            if isFirst { try await audit(AuditEntry(who: who, act: act + " begins", filter: filter, count: 0)) }
        }
        guard hasBegun.read({ $0 }) else { return answer }
        let (count, failure) = outcome(answer)
        do {
            try await audit(AuditEntry(who: who, act: act, filter: filter, count: count))
        } catch {
            // What kept it from its end is the cause of more.
            throw failure ?? error
        }
        return answer
    }
}
