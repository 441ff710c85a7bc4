import Waiting

/// Tells an enricher's backfill which services have missing pairs.
public final class BackfillSignal: Sendable {
    private struct State: Sendable {
        var noted: [String: Int] = [:]
        var commits = 0
    }

    private let state = Watched(State())

    package init() {}

    /// Notes that a group was committed in which these services have missing pairs.
    func noted(_ services: Set<String>) {
        state.change { state in
            state.commits += 1
            for service in services { state.noted[service, default: 0] += 1 }
        }
    }

    /// How many commits have noted missing pairs of this service.
    func count(of service: String) -> Int { state.read { $0.noted[service, default: 0] } }

    /// All services with noted pairs.
    var names: Set<String> { state.read { Set($0.noted.keys) } }

    /// How many groups were committed.
    var commits: Int { state.read { $0.commits } }

    /// Returns when a group has been committed since that count, or when the task is cancelled.
    func commit(since commits: Int) async { _ = await state.wait { $0.commits == commits ? nil : true } }
}
