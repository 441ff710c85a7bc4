import Foundation
import Model
import Pipeline
import Waiting

/// The jobs that a producer has submitted. They are done when each has its row.
package actor SubmittedJobs {
    /// How far the jobs are.
    package enum State {
        case done
        case open
        /// No worker can still have them: they were purged, or dropped by another program.
        case lost(String)
    }

    /// A job cannot be held for longer than this (spec section 3).
    private static let patience: TimeInterval = 300
    /// If the queues have had no consumers since before the jobs came: enough for what is on its way in the broker.
    private static let patienceWithoutConsumers: TimeInterval = 3
    private static let page = 500

    private let filter: ImageFilter
    private let last: ImageID
    private let catalogue: any ImageCatalogue
    private let time: any Timekeeper
    /// All images up to this one have their rows.
    private var answered: ImageID = 0
    private var lastProgress: Date
    private var hadConsumers: Bool

    /// - Parameters:
    ///   - filter: the images that lack an answer.
    ///   - last: the largest image_id of the submission.
    ///   - hadConsumers: whether the queues had, or may have had, consumers before anything was submitted.
    package init(
        filter: ImageFilter, upTo last: ImageID, catalogue: any ImageCatalogue, time: any Timekeeper, hadConsumers: Bool
    ) {
        self.filter = filter
        self.last = last
        self.catalogue = catalogue
        self.time = time
        self.hadConsumers = hadConsumers
        lastProgress = time.now()
    }

    /// Whether these queues may have consumers, as far as they tell.
    package static func mayHaveConsumers(_ depths: some Sequence<QueueDepth>) -> Bool {
        depths.contains { $0.consumers != 0 }
    }

    /// To be called after every look at the queues of the jobs.
    /// - Parameter isUnderWay: whether messages wait, or are in hand here.
    package func saw(_ depths: some Sequence<QueueDepth>, isUnderWay: Bool) {
        if SubmittedJobs.mayHaveConsumers(depths) { hadConsumers = true }
        if isUnderWay { lastProgress = time.now() }
    }

    /// To be called when nothing waits any more.
    /// - Parameter isExact: whether it is known that nothing is in flight either. Then a job without a row is lost.
    /// - Throws: `PortFault`.
    package func state(isExact: Bool) async throws -> State {
        guard let next = try await catalogue.images(filter, after: answered, limit: 1).first, next.image.id <= last
        else { return .done }
        if next.image.id - 1 > answered {
            answered = next.image.id - 1
            lastProgress = time.now()
        }
        let patience = hadConsumers ? SubmittedJobs.patience : SubmittedJobs.patienceWithoutConsumers
        guard isExact || time.now().timeIntervalSince(lastProgress) > patience else { return .open }
        return .lost(try await loss())
    }

    private func loss() async throws -> String {
        var (images, after) = (0, answered)
        var services: Set<String> = []
        while true {
            let page = try await catalogue.images(filter, after: after, limit: SubmittedJobs.page)
                .filter { $0.image.id <= last }
            guard let end = page.last else { break }
            after = end.image.id
            images += page.count
            services.formUnion(page.flatMap(\.lacking))
        }
        return "\(counted(images, "image")) without a row of \(services.sorted().joined(separator: ", ")): "
            + "their jobs are in no queue any more, as after farm purge; farm produce --resume submits them again"
    }
}
