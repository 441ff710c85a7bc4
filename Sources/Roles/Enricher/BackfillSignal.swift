import Waiting

/// Tells the backfill of an enricher that pairs were noted as missing, by service.
public final class BackfillSignal: Sendable {
    private struct State: Sendable {
        var noted: [String: Int] = [:]
        var commits = 0
    }

    private let state = Watched(State())

    package init() {}

    /// A group was committed; these services have missing pairs in it.
    func noted(_ services: Set<String>) {
        state.change { state in
            state.commits += 1
            for service in services { state.noted[service, default: 0] += 1 }
        }
    }

    /// How many commits have noted pairs of this service.
    func count(of service: String) -> Int { state.read { $0.noted[service, default: 0] } }

    /// All whose pairs were noted.
    var names: Set<String> { state.read { Set($0.noted.keys) } }

    /// How many groups were committed.
    var commits: Int { state.read { $0.commits } }

    /// Returns when a group has been committed since that count, or when the task is cancelled.
    func commit(since commits: Int) async { _ = await state.wait { $0.commits == commits ? nil : true } }
}
