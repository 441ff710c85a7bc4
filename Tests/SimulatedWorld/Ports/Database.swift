import Foundation
import Model
import Monitoring
import Pipeline
import Synchronization

/// The store of a run: its tables, and the locks of its images. It outlives the processes, which use it through
/// `DatabaseStore`.
final class Database: Sendable {
    /// A row of `merged_boxes`.
    struct BoxRow: Sendable {
        var mergedID: Int
        var box: MergedBox
        var data: JSON
    }

    /// That a run of a worker has begun a redelivered job.
    struct Begun: Hashable, Sendable {
        var job: UUID
        var worker: String
        var process: Int
    }

    struct Key: Hashable, Sendable {
        var image: ImageID
        var job: UUID
    }

    /// A box and a service.
    struct Pair: Hashable, Sendable {
        var mergedID: Int
        var service: String
    }

    struct Tables: Sendable {
        var images: [ImageID: Image] = [:]
        /// By image, in the order of their commits.
        var results: [ImageID: [StoredResult]] = [:]
        var jobs: [Key: [Int]] = [:]
        var begun: Set<Begun> = []
        var boxes: [ImageID: [BoxRow]] = [:]
        var enrichments: [ImageID: [Pair: StoredEnrichment]] = [:]
        var missing: [ImageID: Set<Pair>] = [:]
        var consensus: [ImageID: ConsensusRecord] = [:]
        var heartbeats: [StoredHeartbeat] = []
        var controls: [String: ServiceControl] = [:]
        var buckets: [String: TokenBucket] = [:]
        var audit: [AuditRow] = []
        var submissions: [SubmissionScope: (mark: SubmissionMark, holder: UUID)] = [:]
        /// Ids are never used twice.
        var nextID = 0

        mutating func newID() -> Int {
            nextID += 1
            return nextID
        }

        /// The newest row of each service, sorted by service.
        func newest(_ image: ImageID, where isCounted: (StoredResult) -> Bool) -> [StoredResult] {
            var newest: [String: StoredResult] = [:]
            for row in results[image] ?? [] where isCounted(row) {
                if let other = newest[row.service], other.resultID > row.resultID { continue }
                newest[row.service] = row
            }
            return newest.values.sorted { $0.service < $1.service }
        }

        func storedBoxes(_ image: ImageID) -> [StoredBox] {
            (boxes[image] ?? []).map { StoredBox(mergedID: $0.mergedID, data: $0.data) }
        }

        func storedEnrichments(_ image: ImageID) -> [StoredEnrichment] {
            (enrichments[image] ?? [:]).values.sorted { ($0.mergedID, $0.service) < ($1.mergedID, $1.service) }
        }

        func findings(_ image: ImageID) -> ImageFindings {
            ImageFindings(
                imageID: image, results: newest(image) { _ in true },
                successes: newest(image) { $0.status == .success },
                boxes: storedBoxes(image), enrichments: storedEnrichments(image))
        }
    }

    private let state: Mutex<Tables>
    let locks = ImageLocks()
    let conditions: Conditions
    let album: Album

    init(_ conditions: Conditions, album: Album, tables: Tables = Tables()) {
        self.conditions = conditions
        self.album = album
        state = Mutex(tables)
    }

    /// What is committed.
    var tables: Tables { state.withLock { $0 } }

    /// One commit.
    func write<Value: Sendable>(_ change: (inout Tables) -> Value) -> Value { state.withLock { change(&$0) } }

    /// The server's clock.
    var now: Date { Date(timeIntervalSince1970: 1_790_000_000 + conditions.scheduler.now.seconds) }
}

/// The lock of each image: first come, first served.
final class ImageLocks: Sendable {
    private struct State {
        var held: Set<ImageID> = []
        var nextID = 0
        var waiters: [ImageID: [(id: Int, continuation: UnsafeContinuation<Void, any Error>)]] = [:]
    }

    private let state = Mutex(State())

    var isFree: Bool { state.withLock { $0.held.isEmpty && $0.waiters.values.allSatisfy(\.isEmpty) } }

    /// Runs `body` with these images' locks, which it takes in ascending order.
    func with<Value>(_ images: [ImageID], _ body: () async throws -> Value) async throws -> Value {
        var taken: [ImageID] = []
        defer { for image in taken.reversed() { release(image) } }
        for image in Set(images).sorted() {
            try await take(image)
            taken.append(image)
        }
        return try await body()
    }

    private func take(_ image: ImageID) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                let ending = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.held.insert(image).inserted { return .success(()) }
                    state.waiters[image, default: []].append((id, continuation))
                    return nil
                }
                if let ending { continuation.resume(with: ending) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters[image]?.firstIndex { $0.id == id }.flatMap { state.waiters[image]?.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func release(_ image: ImageID) {
        let next = state.withLock { state -> UnsafeContinuation<Void, any Error>? in
            guard state.waiters[image]?.isEmpty == false else {
                state.held.remove(image)
                return nil
            }
            return state.waiters[image]?.removeFirst().continuation
        }
        next?.resume()
    }
}
