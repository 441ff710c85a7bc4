import Pipeline

extension AuditRecords {
    /// Does something that leaves two rows: one before, so that it is known also of a process that dies meanwhile, and one with
    /// what it came to, also where it failed.
    /// - Returns: what `act` returned.
    /// - Throws: `PortFault`; what `act` threw.
    package func auditing<Answer>(
        _ act: String, of filter: String, by who: String, _ work: () async -> Answer,
        outcome: (Answer) -> (count: Int, failure: (any Error)?)
    ) async throws -> Answer {
        try await audit(AuditEntry(who: who, act: act + " begins", filter: filter, count: 0))
        let answer = await work()
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
