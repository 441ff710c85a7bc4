import Foundation
import Model

/// A line of `farm status`.
public struct ServiceReport: Sendable, Equatable {
    /// The service it is of.
    public var service: String
    /// How many succeeded.
    public var success: Int
    /// How many failed for good.
    public var error: Int
    /// When its newest row was written.
    public var last: Date?
    /// Median of processing_time (seconds) in the last hour.
    public var p50: Double?
    /// 95th percentile of the same.
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
    /// Rows of `postprocessing`.
    public var postprocessing: Int
    /// Of them those with status `error`.
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

    /// Adds the counts up.
    public static func += (left: inout Totals, right: Totals) {
        left.images += right.images
        left.results += right.results
        left.mergedBoxes += right.mergedBoxes
        left.consensus += right.consensus
        left.postprocessing += right.postprocessing
        left.failedPostprocessing += right.failedPostprocessing
    }
}

/// A moment of the store, as its own rows and clock tell it.
public struct FailureMark: Sendable, Equatable {
    /// The largest `result_id`.
    public var resultID: Int
    /// The store's time, as its columns hold it.
    public var time: String

    package init(resultID: Int, time: String) {
        self.resultID = resultID
        self.time = time
    }
}

/// Rows with status `error` of one service and one kind.
public struct FailureReport: Sendable, Equatable {
    /// The service it is of.
    public var service: String
    /// They are of boxes (`postprocessing`), not of images (`results`).
    public var isOfBoxes: Bool
    /// The error's `kind`; empty where another program wrote none.
    public var kind: String
    /// How many.
    public var count: Int
    /// The first of their images.
    public var imageID: ImageID
    /// What the row says of it.
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

/// One image with everything that was found about it.
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

/// What is read for people; may be a replica. All throw `PortFault`.
public protocol Reports: Sendable {
    /// By service. Counts up to `RowCounts.exactLimit` are counted, larger ones are those that triggers keep, which cost the same
    /// however large the tables are; percentiles are of the newest 10,000 of the hour.
    /// - Parameter exact: counts every row.
    func services(exact: Bool) async throws -> [ServiceReport]

    /// Of all tables, counted as `services` is.
    func totals(exact: Bool) async throws -> Totals

    /// Sets right what triggers keep, by counting every row. Nobody waits for it.
    func recount() async throws

    /// When that was done last; nil: never.
    func lastRecount() async throws -> Date?

    func report(on images: [ImageID]) async throws -> [ImageReport]

    /// The fused boxes of each of these images, in the images' order; none of an image that does not exist.
    func boxes(of images: [ImageID]) async throws -> [[StoredBox]]

    /// Images whose consensus is missing or older than what it rests on (results, boxes, enrichments), at most `limit`.
    func imagesWithStaleConsensus(limit: Int) async throws -> [ImageID]

    /// How many (box, service) pairs wait for a service that was down, by service.
    func missingEnrichments() async throws -> [String: Int]

    /// Now.
    func failureMark() async throws -> FailureMark

    /// What has failed for good since then, by service and kind.
    func failures(since mark: FailureMark) async throws -> [FailureReport]
}

/// How rows are counted.
public enum RowCounts {
    /// Up to here every row is counted.
    public static let exactLimit = 10_000
}

extension Reports {
    /// By service, at a cost that does not grow.
    public func services() async throws -> [ServiceReport] { try await services(exact: false) }

    /// Of all tables, at a cost that does not grow.
    public func totals() async throws -> Totals { try await totals(exact: false) }
}
