import Foundation
import Model

/// The tries of a job that went back to the queue and yet count, by the job's id.
struct RetryLedger {
    /// What was tried before.
    struct Entry: Equatable {
        var tries = 0
        var firstFailure: Date?
        /// Times that the service's answers left no tries, while nobody knew whether the service was at fault; with them the
        /// last failure, and how many sound answers there had been before the first.
        var errors = 0
        var failure: AnalysisFailure?
        var answers = 0
    }

    private let limit: Int
    private var entries: [UUID: Entry] = [:]

    /// - Parameter limit: how many jobs are remembered; beyond, the one that failed longest ago is forgotten.
    init(limit: Int = 1000) { self.limit = limit }

    var count: Int { entries.count }

    /// The service was at fault, or may have been.
    mutating func forgetErrors() { entries = entries.filter { $0.value.errors == 0 } }

    /// An entry without tries is forgotten.
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
