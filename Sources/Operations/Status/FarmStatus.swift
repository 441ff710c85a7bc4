import Model
import Pipeline

/// The state of the farm: what the queue reports and what the store reports. Each may be out of reach by itself.
package struct FarmStatus: Sendable {
    /// What the queue reports, or why it reports nothing.
    package let queues: Result<QueueStatus, PortFault>
    /// What the store reports, or why it reports nothing.
    package let results: Result<StoreStatus, PortFault>

    /// - Parameters:
    ///   - readsReplica: whether the store is a replica, which cannot tell whether rows are taken.
    ///   - exact: whether every row is counted.
    /// - Throws: `PortFault` if neither can be read.
    package init(_ parts: any ReadingParts, _ services: ServiceDirectory, readsReplica: Bool, exact: Bool = false)
        async throws
    {
        // Without the workers, the rest is shown all the same.
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

    /// The rows that the waiting work will write. One service stands for all.
    private static func rows(_ waited: [String]) -> [PlainRow] {
        let services = waited.filter { $0 != Callback.service && PostProcessing(rawValue: $0) == nil }
        return PlainRow.of(services: Array(services.prefix(1)), roles: waited.compactMap(PostProcessing.init))
    }

    private static func half<Part>(_ read: () async throws -> Part) async throws -> Result<Part, PortFault> {
        do { return .success(try await read()) } catch let fault as PortFault { return .failure(fault) }
    }

    /// Why one half is missing.
    package var fault: PortFault? {
        if case .failure(let fault) = queues { return fault }
        if case .failure(let fault) = results { return fault }
        return nil
    }

    /// Why the store takes no rows.
    package var refusal: PortFault? { (try? results.get())?.refusal }

    /// The output of `farm status --json` (spec section 1).
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
