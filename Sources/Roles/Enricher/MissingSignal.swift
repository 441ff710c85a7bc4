import Synchronization

/// Tells the make-up loop of an enricher that pairs were noted as missing, by service.
public final class MissingSignal: Sendable {
    private struct State {
        var noted: [String: Int] = [:]
        var commits = 0
        var nextID = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// A group was committed; these services have missing pairs in it.
    func noted(_ services: Set<String>) {
        let waiters = state.withLock { state in
            state.commits += 1
            for service in services { state.noted[service, default: 0] += 1 }
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// How many commits have noted pairs of this service.
    func count(of service: String) -> Int { state.withLock { $0.noted[service, default: 0] } }

    /// All whose pairs were noted.
    var names: Set<String> { state.withLock { Set($0.noted.keys) } }

    /// How many groups were committed.
    var commits: Int { state.withLock { $0.commits } }

    /// Returns when a group has been committed since that count, or when the task is cancelled.
    func commit(since commits: Int) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.commits == commits, !Task.isCancelled else { return false }
                    state.waiters[id] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
