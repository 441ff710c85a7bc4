import Foundation
import Model
import Pipeline

/// The jobs that a producer has submitted: they are done when each has its row.
actor Submission {
    /// How far they are.
    enum Standing {
        case done
        case open
        /// No worker can still have them: they were purged, or dropped by another program.
        case lost(String)
    }

    /// Nobody holds a job for longer (spec section 3).
    private static let patience: TimeInterval = 300

    private let filter: ImageFilter
    private let last: ImageID
    private let catalogue: any ImageCatalogue
    private let time: any Timekeeper
    /// All images up to here have their rows.
    private var answered: ImageID = 0
    private var lastProgress: Date

    /// - Parameters:
    ///   - filter: the images that lack an answer.
    ///   - last: the largest image_id of the submission.
    init(filter: ImageFilter, upTo last: ImageID, catalogue: any ImageCatalogue, time: any Timekeeper) {
        self.filter = filter
        self.last = last
        self.catalogue = catalogue
        self.time = time
        lastProgress = time.now()
    }

    /// Something still waits, or is in hand here.
    func isUnderWay() { lastProgress = time.now() }

    /// To be asked when nothing waits any more.
    /// - Throws: `PortFault`.
    func standing() async throws -> Standing {
        guard let next = try await catalogue.images(filter, after: answered, limit: 1).first, next.image.id <= last
        else { return .done }
        if next.image.id - 1 > answered {
            answered = next.image.id - 1
            lastProgress = time.now()
        }
        guard time.now().timeIntervalSince(lastProgress) > Submission.patience else { return .open }
        let services = next.lacking.joined(separator: ", ")
        return .lost(
            "image \(next.image.id), and perhaps others, without a row of \(services): their jobs are in no queue")
    }
}
