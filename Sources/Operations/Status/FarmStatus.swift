import Model
import Pipeline

/// How far the farm is: what the queue tells and what the store tells. Each may be out of reach for itself.
package struct FarmStatus: Sendable {
    /// What the queue tells, or why it tells nothing.
    package let queues: Result<QueueStatus, PortFault>
    /// What the store tells, or why it tells nothing.
    package let results: Result<StoreStatus, PortFault>

    /// - Parameters:
    ///   - readsReplica: the store that is read is a replica, which cannot tell whether rows are taken.
    ///   - exact: every row is counted.
    /// - Throws: `PortFault` when neither can be read.
    package init(_ parts: any ReadingParts, _ services: ServiceDirectory, readsReplica: Bool, exact: Bool = false)
        async throws
    {
        // Without it the rest is shown all the same.
        let known = try await FarmStatus.half {
            let store = try await parts.store()
            return StoredWork(
                workers: try await store.liveWorkers(), progress: try await store.progress(),
                // Who may not read it sees the rest.
                control: try? await store.control())
        }
        queues = try await FarmStatus.half {
            try await QueueStatus(services, parts.queue(), known)
        }
        let rows = readsReplica ? [] : FarmStatus.rows((try? queues.get())?.waited ?? [])
        results = try await FarmStatus.half { try await StoreStatus(parts.store(), rows: rows, exact: exact) }
        guard case (.failure(let first), .failure(let second)) = (queues, results) else { return }
        guard first.description != second.description else { throw first }
        throw PortFault(first.kind, place: first.place, message: "\(first.message); \(second)")
    }

    /// What is to be written of what waits; one service stands for all.
    private static func rows(_ waited: [String]) -> [PlainRow] {
        let services = waited.filter { PostProcessing(rawValue: $0) == nil }
        return PlainRow.of(services: Array(services.prefix(1)), roles: waited.compactMap(PostProcessing.init))
    }

    private static func half<Part>(_ read: () async throws -> Part) async throws -> Result<Part, PortFault> {
        do { return .success(try await read()) } catch let fault as PortFault { return .failure(fault) }
    }

    /// Why a half is missing.
    package var fault: PortFault? {
        if case .failure(let fault) = queues { return fault }
        if case .failure(let fault) = results { return fault }
        return nil
    }

    /// Why the store takes no rows.
    package var refusal: PortFault? { (try? results.get())?.refusal }

    /// As `farm status --json` has it (spec section 1).
    package var json: JSON {
        var members: [JSON.Member] = []
        switch queues {
        case .success(let status): members += status.members(refusal: refusal)
        case .failure: members += QueueStatus.unknown
        }
        switch results {
        case .success(let status): members += status.members
        case .failure: members += StoreStatus.unknown
        }
        members.append(JSON.Member("fault", .optional(fault?.description)))
        return .object(members)
    }
}
