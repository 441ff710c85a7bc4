import Foundation
import Model
import Pipeline
import Testing

/// A store that claims the behaviours of `ResultStore`, `ImageCatalogue`, `ImportRecords`, `Reports`, `ResultForgetting`,
/// `WorkerRegister`, `ProgressRecords`, `ControlRecords`, `AuditRecords`, `ImageBrowsing`,
/// `ImageIndexing` and `SubmissionRecords`.
/// A new one joins with a line in `storeBackends`.
struct StoreBackend: Sendable, CustomTestStringConvertible {
    typealias Test = @Sendable (StoreBase) async throws -> Void

    var name: String
    /// Runs a test on an empty store of its own.
    var run: @Sendable (@escaping Test) async throws -> Void

    var testDescription: String { name }
}

extension StoreBackend {
    init(name: String, make: @escaping @Sendable () async throws -> StoreBase) {
        self.init(
            name: name,
            run: { test in
                let base = try await make()
                do { try await test(base) } catch {
                    await base.close()
                    throw error
                }
                await base.close()
            })
    }
}

/// What farm runs with.
let storeBackends = [StoreBackend.embedded, .postgresql, .pooled]

/// Those, and what the simulation puts in their place: it claims `ResultStore`, `ImageCatalogue`,
/// `ControlRecords`, `AuditRecords` and `SubmissionRecords`, and knows no SQL.
let roleStores = storeBackends + [.simulated]

typealias Store = ResultStore & ImageCatalogue & ImportRecords & Reports & ResultForgetting & WorkerRegister
    & ProgressRecords & ControlRecords & AuditRecords & ImageBrowsing & ImageIndexing & SubmissionRecords

/// A database of one test's own, empty at first.
struct StoreBase: Sendable {
    /// The first process's store.
    var store: any Store
    /// Opens another one, as another process would.
    var connect: @Sendable () async throws -> any Store
    /// What the clock says that rows' times go by.
    var now: @Sendable () -> Date = { Date() }
    /// How far that clock and the one of the rows may be apart, in seconds.
    var tolerance = 0.001
    /// Makes what is there older, or younger.
    var advance: @Sendable (Duration) async throws -> Void
    /// SQL of another program's: only the columns of spec section 4.
    var execute: @Sendable (String) async throws -> Void
    /// The first column of a query.
    var select: @Sendable (String) async throws -> [String]
    /// How many jobs are noted as begun; nil: as many as `farm_begun` has rows.
    var begun: (@Sendable () async throws -> Int)?
    var close: @Sendable () async -> Void

    /// How many jobs are noted as begun.
    func countBegun() async throws -> Int {
        if let begun { return try await begun() }
        return try await select("SELECT count(*) FROM farm_begun").compactMap { Int($0) }.reduce(0, +)
    }

    /// Adds images by filename.
    func images(_ count: Int) async throws -> [ImageID] {
        try await store.add((0..<count).map { NewImage(filename: "\($0).jpg") }, move: false).ids
    }

    /// Adds one image.
    func image() async throws -> ImageID { try #require(try await images(1).first) }
}

extension AnalysisResult {
    /// A successful answer, unless it says otherwise.
    static func of(
        _ imageID: ImageID, _ service: String = "blip", _ data: String = #"{"predictions":[]}"#,
        status: ResultStatus = .success, seconds: Double = 0.25, workerID: String = "w1", jobID: UUID = UUID()
    ) -> AnalysisResult {
        AnalysisResult(
            imageID: imageID, service: service, data: Array(data.utf8), status: status, processingTime: seconds,
            workerID: workerID, jobID: jobID)
    }
}

extension JSON {
    /// As PostgreSQL's JSONB keeps it: the order of members and the way a number is written are no part of a value.
    var normalised: JSON {
        switch self {
        case .array(let elements): .array(elements.map(\.normalised))
        case .object(let members):
            .object(members.map { Member($0.key, $0.value.normalised) }.sorted { $0.key < $1.key })
        case .double(let value): Int64(exactly: value).map(JSON.int) ?? self
        default: self
        }
    }
}

extension MergedBox {
    static func of(_ label: String, sources: [Int] = [1], x: Double = 1) -> MergedBox {
        MergedBox(
            clusterID: "\(label)_1", label: label, emoji: nil, bbox: Box(x: x, y: 2, width: 30, height: 40),
            averageConfidence: 0.9, score: 0.9, contributingServices: ["yolov8"],
            detections: [Detection(service: "yolov8", confidence: 0.9, bbox: Box(x: x, y: 2, width: 30, height: 40))],
            sourceResultIDs: sources)
    }
}
