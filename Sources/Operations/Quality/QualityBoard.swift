import Foundation
import Waiting

/// One report of quality for all who look at it: it is made anew when somebody asks and the last one is too old.
package actor QualityBoard {
    /// So long a report is shown.
    private static let freshness: TimeInterval = 60

    private let time: any Timekeeper
    private let make: @Sendable () async throws -> QualityReport
    private var last: (report: QualityReport, made: Date)?
    private var running: Task<QualityReport, any Error>?

    package init(time: any Timekeeper, make: @escaping @Sendable () async throws -> QualityReport) {
        self.time = time
        self.make = make
    }

    /// The report, and when it was made.
    /// - Throws: what making it throws.
    package func latest() async throws -> (report: QualityReport, made: Date) {
        if let last, time.now().timeIntervalSince(last.made) < QualityBoard.freshness { return last }
        let task = running ?? Task { try await make() }
        running = task
        defer { running = nil }
        let report = try await task.value
        let made = time.now()
        last = (report, made)
        return (report, made)
    }
}
