import Doubles
import Foundation
import Model
import Monitoring
import Pipeline
@testable import SimulatedWorld

extension StoreBackend {
    /// It claims what roles and the producer ask of a store.
    static let simulated = StoreBackend(
        name: "the simulated store",
        run: { test in
            try await SimulatedBench.run { bench in
                @Sendable func store() -> DatabaseStore {
                    DatabaseStore(database: bench.database, process: bench.process())
                }
                try await test(
                    StoreBase(
                        store: store(), connect: { store() }, now: { bench.database.now },
                        advance: { bench.database.makeOlder(by: $0) }, execute: { _ in throw Unclaimed() },
                        select: { _ in throw Unclaimed() }, begun: { bench.database.tables.begun.count }, close: {}))
            }
        })
}

extension Database {
    fileprivate func makeOlder(by duration: Duration) {
        write { tables in
            for service in tables.controls.keys {
                tables.controls[service]?.until? -= duration.seconds
                tables.controls[service]?.setAt -= duration.seconds
            }
            for service in tables.buckets.keys { tables.buckets[service]?.refilled -= duration.seconds }
            for image in tables.results.keys {
                for place in tables.results[image, default: []].indices {
                    tables.results[image]?[place].created -= duration.seconds
                }
            }
        }
    }
}

/// How a test sees what the simulated roles have written. The rest is for commands, which the simulation does not run.
// Public because a type that is imported by `@testable` counts as such.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension DatabaseStore: Reports {
    public func totals(exact: Bool) async throws -> Totals {
        let tables = database.tables
        let rows = tables.enrichments.values.flatMap(\.values)
        return Totals(
            images: tables.images.count, results: tables.results.values.joined().count,
            mergedBoxes: tables.boxes.values.joined().count, consensus: tables.consensus.count,
            postprocessing: rows.count, failedPostprocessing: rows.count { $0.status == .error })
    }

    public func report(on images: [ImageID]) async throws -> [ImageReport] {
        let tables = database.tables
        return images.compactMap { id in
            tables.images[id].map {
                ImageReport(image: $0, findings: tables.findings(id), consensus: tables.consensus[id]?.data)
            }
        }
    }

    public func boxes(of images: [ImageID]) async throws -> [[StoredBox]] { images.map(database.tables.storedBoxes) }

    public func missingEnrichments() async throws -> [String: Int] {
        database.tables.missing.values.joined().reduce(into: [:]) { $0[$1.service, default: 0] += 1 }
    }

    public func services(exact: Bool) async throws -> [ServiceReport] { throw Unclaimed() }
    public func imagesWithStaleConsensus(limit: Int) async throws -> [ImageID] { throw Unclaimed() }
    public func recount() async throws { throw Unclaimed() }
    public func lastRecount() async throws -> Date? { throw Unclaimed() }
    public func failureMark() async throws -> FailureMark { throw Unclaimed() }
    public func failures(since mark: FailureMark) async throws -> [FailureReport] { throw Unclaimed() }
}

// Public because a type that is imported by `@testable` counts as such.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension DatabaseStore: ImportRecords, ProgressRecords, ResultForgetting, WorkerRegister {
    public func remember(_ refused: [(place: String, reason: String)]) async throws { throw Unclaimed() }
    public func newestRefusal() async throws -> Int { throw Unclaimed() }
    public func forgetRefusals(of place: String, upTo last: Int) async throws { throw Unclaimed() }
    public func refusals(after: Int, limit: Int) async throws -> [Refusal] { throw Unclaimed() }
    public func refusal(of place: String) async throws -> Refusal? { throw Unclaimed() }
    public func movePaths(from old: String, to new: String) async throws -> PathMove { throw Unclaimed() }

    public func holdings(of images: [ImageID]) async throws -> Totals { throw Unclaimed() }
    public func forget(_ images: [ImageID]) async throws -> Totals { throw Unclaimed() }
    public func holdings(of images: [ImageID], services: [String]) async throws -> Totals { throw Unclaimed() }
    public func forget(
        _ images: [ImageID], services: [String]
    ) async throws -> (dropped: Totals, changed: [ImageID]) { throw Unclaimed() }
    public func remove(_ images: [ImageID]) async throws -> Totals { throw Unclaimed() }

    public func register(_ worker: RegisteredWorker, silence: Duration) async throws { throw Unclaimed() }
    public func unregister(queue: String) async throws { throw Unclaimed() }
    public func liveWorkers() async throws -> [RegisteredWorker] { throw Unclaimed() }
    public func silentWorkers(since age: Duration) async throws -> [DeadWorker] { throw Unclaimed() }
    public func seenWorkers() async throws -> [SeenWorkers] { throw Unclaimed() }

    public func note(waiting: Int, done: Int, in queue: String) async throws { throw Unclaimed() }
    public func progress() async throws -> ProgressReport { throw Unclaimed() }
}

extension HeartbeatBackend {
    static let simulated = HeartbeatBackend(
        name: "the simulated heartbeats",
        run: { test in
            try await SimulatedBench.run { bench in
                let database = bench.database
                try await test(
                    HeartbeatBase(
                        store: DatabaseHeartbeats(database: database, process: bench.process()),
                        insert: { beat, age in
                            let moment = database.now.addingTimeInterval(-age.seconds)
                            database.write { $0.add(beat, at: moment) }
                        },
                        count: { worker in database.tables.heartbeats.count { $0.workerID == worker } }, close: {}))
            }
        })
}

// Public because a type that is imported by `@testable` counts as such.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension DatabaseStore: ImageBrowsing, ImageIndexing {
    public func page(
        _ query: ImageQuery, _ order: ImageOrder, at cursor: ImageCursor?, limit: Int, scanning bound: Int
    ) async throws -> ImagePage { throw Unclaimed() }
    public func neighbours(
        of image: ImageID, _ query: ImageQuery, _ order: ImageOrder, scanning bound: Int
    ) async throws -> ImageNeighbours { throw Unclaimed() }
    public func history(of image: ImageID, limit: Int) async throws -> [ResultSummary] { throw Unclaimed() }
    public func result(_ resultID: Int, of image: ImageID) async throws -> StoredResult? { throw Unclaimed() }
    public func recentResults(of images: [ImageID], perService: Int) async throws -> [ImageID: [StoredResult]] {
        throw Unclaimed()
    }
    public func recentlyAnswered(limit: Int) async throws -> [ImageID] { throw Unclaimed() }
    public func groups(limit: Int) async throws -> [String] { throw Unclaimed() }
    public func labels(beginning text: String, limit: Int) async throws -> [String] { throw Unclaimed() }
    public func indexLag() async throws -> IndexLag { throw Unclaimed() }
    public func indexWork(limit: Int) async throws -> IndexWork { throw Unclaimed() }
    public func material(of images: [ImageID], detectors: [String]) async throws -> [ImageMaterial] {
        throw Unclaimed()
    }
    public func index(_ facts: [ImageFacts], for work: IndexWork) async throws { throw Unclaimed() }
}
