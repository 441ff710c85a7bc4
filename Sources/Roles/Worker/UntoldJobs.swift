import Foundation
import Synchronization

/// Jobs that the store has yet to be told about.
final class UntoldJobs: Sendable {
    private let jobs = Mutex<Set<UUID>>([])

    var all: [UUID] { jobs.withLock { $0.isEmpty ? [] : Array($0) } }

    func add(_ more: [UUID]) { if !more.isEmpty { jobs.withLock { $0.formUnion(more) } } }

    func paid(_ some: [UUID]) { if !some.isEmpty { jobs.withLock { $0.subtract(some) } } }
}
