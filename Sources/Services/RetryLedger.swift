import Foundation
import Model

/// The tries that count although their jobs went back to the queue, by the id of the job.
struct RetryLedger {
    /// The earlier tries of a job.
    struct Entry: Equatable {
        var tries = 0
        var firstFailure: Date?
        /// How often the answers of the service left no tries while nobody knew whether the service was at fault.
        /// `failure` is the last of them, and `answers` the number of good answers before the first.
        var errors = 0
        var failure: AnalysisFailure?
        var answers = 0
    }

    private let limit: Int
    private var entries: [UUID: Entry] = [:]

    /// - Parameter limit: how many jobs are remembered. If there are more, the one that failed longest ago is
    ///   forgotten.
    init(limit: Int = 1000) { self.limit = limit }

    var count: Int { entries.count }

    /// Forgets errors for which the service was, or may have been, at fault.
    mutating func forgetErrors() { entries = entries.filter { $0.value.errors == 0 } }

    /// The entry of a job. Setting one without tries forgets it.
    subscript(job: UUID) -> Entry {
        get { entries[job] ?? Entry() }
        set {
            assert(newValue.tries >= 0, "no more tries are taken back than were counted")
            entries[job] = newValue.tries > 0 ? newValue : nil
            guard entries.count > limit else { return }
            let oldest = entries.filter { $0.key != job }
                .min { ($0.value.firstFailure ?? .distantPast) < ($1.value.firstFailure ?? .distantPast) }
            if let oldest { entries[oldest.key] = nil }
            assert(entries.count <= limit, "no more jobs are remembered than may be")
        }
    }
}
