import Foundation
import Model

/// A line of `farm status`.
public struct ServiceReport: Sendable, Equatable {
    /// The name of the service.
    public var service: String
    /// How many results succeeded.
    public var success: Int
    /// How many failed for good.
    public var error: Int
    /// When its newest row was written.
    public var last: Date?
    /// Median of processing_time (seconds) in the last hour.
    public var p50: Double?
    /// 95th percentile of processing_time (seconds) in the last hour.
    public var p95: Double?

    package init(service: String, success: Int, error: Int, last: Date?, p50: Double?, p95: Double?) {
        self.service = service
        self.success = success
        self.error = error
        self.last = last
        self.p50 = p50
        self.p95 = p95
    }
}

/// Row counts of the tables.
public struct Totals: Sendable, Equatable {
    /// Rows of `images`.
    public var images: Int
    /// Rows of `results`.
    public var results: Int
    /// Rows of `merged_boxes`.
    public var mergedBoxes: Int
    /// Rows of `consensus`.
    public var consensus: Int
    /// Rows of `postprocessing` with status `error`.
    public var postprocessing: Int
    /// How many of them have the status `error`.
    public var failedPostprocessing: Int

    package init(
        images: Int = 0, results: Int = 0, mergedBoxes: Int = 0, consensus: Int = 0, postprocessing: Int = 0,
        failedPostprocessing: Int = 0
    ) {
        self.images = images
        self.results = results
        self.mergedBoxes = mergedBoxes
        self.consensus = consensus
        self.postprocessing = postprocessing
        self.failedPostprocessing = failedPostprocessing
    }

    /// Adds the counts of two stores.
    public static func += (left: inout Totals, right: Totals) {
        left.images += right.images
        left.results += right.results
        left.mergedBoxes += right.mergedBoxes
        left.consensus += right.consensus
        left.postprocessing += right.postprocessing
        left.failedPostprocessing += right.failedPostprocessing
    }
}

/// A moment in the store's history, by its own rows and clock.
public struct FailureMark: Sendable, Equatable {
    /// The largest `result_id`.
    public var resultID: Int
    /// The store's time, in the form that its columns have.
    public var time: String

    package init(resultID: Int, time: String) {
        self.resultID = resultID
        self.time = time
    }
}

/// How many rows with status `error` there are of one service and one kind.
public struct FailureReport: Sendable, Equatable {
    /// The name of the service.
    public var service: String
    /// Whether the rows are about boxes (`postprocessing`), and not about images (`results`).
    public var isOfBoxes: Bool
    /// The `kind` of the error. Empty if another program wrote none.
    public var kind: String
    /// How many rows there are.
    public var count: Int
    /// The image of the first row.
    public var imageID: ImageID
    /// What the first row says about the error.
    public var message: String

    package init(service: String, isOfBoxes: Bool, kind: String, count: Int, imageID: ImageID, message: String) {
        self.service = service
        self.isOfBoxes = isOfBoxes
        self.kind = kind
        self.count = count
        self.imageID = imageID
        self.message = message
    }
}

/// One image, with everything that was found in it.
public struct ImageReport: Sendable {
    /// The row of `images`.
    public var image: Image
    /// Its results, boxes and enrichments.
    public var findings: ImageFindings
    /// `consensus_data`, if there is a row.
    public var consensus: JSON?

    package init(image: Image, findings: ImageFindings, consensus: JSON?) {
        self.image = image
        self.findings = findings
        self.consensus = consensus
    }
}

/// What is read for people. It may come from a replica. All methods throw `PortFault`.
public protocol Reports: Sendable {
    /// The report of each service. Counts up to `RowCounts.exactLimit` are exact. Larger counts are those that triggers
    /// keep, which cost the same however large the tables are. Percentiles are of the newest 10,000 rows of the hour.
    /// - Parameter exact: whether to count every row.
    func services(exact: Bool) async throws -> [ServiceReport]

    /// The counts of all tables, counted as in `services`.
    func totals(exact: Bool) async throws -> Totals

    /// Corrects the counts that triggers keep, by counting every row. Nobody waits for it.
    func recount() async throws

    /// When `recount` ran last. nil if it never did.
    func lastRecount() async throws -> Date?

    func report(on images: [ImageID]) async throws -> [ImageReport]

    /// The fused boxes of each of these images, in the images' order. An image that does not exist has none.
    func boxes(of images: [ImageID]) async throws -> [[StoredBox]]

    /// Images whose consensus is missing or older than what it is based on (results, boxes, enrichments), at most
    /// `limit`.
    func imagesWithStaleConsensus(limit: Int) async throws -> [ImageID]

    /// How many (box, service) pairs wait for a service that was down, by service.
    func missingEnrichments() async throws -> [String: Int]

    /// The present moment.
    func failureMark() async throws -> FailureMark

    /// What has failed for good since then, by service and kind.
    func failures(since mark: FailureMark) async throws -> [FailureReport]
}

/// When rows are counted exactly.
public enum RowCounts {
    /// Up to this number, every row is counted.
    public static let exactLimit = 10_000
}

extension Reports {
    /// The report of each service, at a cost that does not grow with the tables.
    public func services() async throws -> [ServiceReport] { try await services(exact: false) }

    /// The counts of all tables, at a cost that does not grow with them.
    public func totals() async throws -> Totals { try await totals(exact: false) }
}
