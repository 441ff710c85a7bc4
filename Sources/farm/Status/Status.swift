import Model
import Pipeline
import Settings

/// What `farm status` shows: what the queue tells and what the store tells. Each may be out of reach for itself.
struct Status {
    private let queues: Result<QueueStatus, PortFault>
    private let results: Result<StoreStatus, PortFault>

    /// - Throws: `PortFault` when neither can be read.
    init(_ session: OpenSession<ReadingBackends>) async throws {
        // Without them the rest is shown all the same.
        let workers = try? await session.backends.store().liveWorkers()
        queues = try await Status.half {
            try await QueueStatus(session.settings, session.backends.queue(), workers: workers)
        }
        let rows = Status.rows((try? queues.get())?.waited ?? [], session.settings)
        results = try await Status.half { try await StoreStatus(session.backends.store(), rows: rows) }
        guard case (.failure(let first), .failure(let second)) = (queues, results) else { return }
        guard first.description != second.description else { throw first }
        throw PortFault(first.kind, place: first.place, message: "\(first.message); \(second)")
    }

    /// What is to be written of what waits; one service stands for all. A replica, which is all that is asked where there
    /// is one, cannot tell.
    private static func rows(_ waited: [String], _ settings: Settings) -> [PlainRow] {
        guard settings.database?.readHost == nil else { return [] }
        let services = waited.filter { PostProcessing(rawValue: $0) == nil }
        return PlainRow.of(services: Array(services.prefix(1)), roles: waited.compactMap(PostProcessing.init))
    }

    private static func half<Part>(_ read: () async throws -> Part) async throws -> Result<Part, PortFault> {
        do { return .success(try await read()) } catch let fault as PortFault { return .failure(fault) }
    }

    /// Why a half is missing.
    var fault: PortFault? {
        if case .failure(let fault) = queues { return fault }
        if case .failure(let fault) = results { return fault }
        return nil
    }

    /// Why the store takes no rows.
    private var refusal: PortFault? { (try? results.get())?.refusal }

    var json: JSON {
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

    var text: String {
        var parts: [String] = []
        switch queues {
        case .success(let status): parts.append(status.text(refusal: refusal))
        case .failure(let fault): parts.append("the queues are not known: \(fault)")
        }
        switch results {
        case .success(let status): parts += status.texts
        case .failure(let fault): parts.append("the results are not known: \(fault)")
        }
        return parts.joined(separator: "\n\n")
    }
}
