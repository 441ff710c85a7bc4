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

    /// Images whose rows are waited for.
    package struct Part: Sendable {
        /// The images that lack an answer.
        package var filter: ImageFilter
        /// The largest image_id of the submission.
        package var last: ImageID

        package init(filter: ImageFilter, last: ImageID) {
            self.filter = filter
            self.last = last
        }
    }

    /// A job cannot be held for longer than this (spec section 3).
    private static let patience: TimeInterval = 300
    /// If the queues have had no consumers since before the jobs came: enough for what is on its way in the broker.
    private static let patienceWithoutConsumers: TimeInterval = 3
    private static let page = 500

    private var parts: ArraySlice<Part>
    private let catalogue: any ImageCatalogue
    private let time: any Timekeeper
    /// All images of the first part up to this one have their rows.
    private var answered: ImageID = 0
    private var lastProgress: Date
    private var hadConsumers: Bool

    /// - Parameter hadConsumers: whether the queues had, or may have had, consumers before anything was submitted.
    package init(
        _ parts: [Part], catalogue: any ImageCatalogue, time: any Timekeeper, hadConsumers: Bool
    ) {
        self.parts = parts[...]
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
        while let part = parts.first {
            let next = try await catalogue.images(part.filter, after: answered, limit: 1).first
            guard let next, next.image.id <= part.last else {
                parts.removeFirst()
                answered = 0
                lastProgress = time.now()
                continue
            }
            if next.image.id - 1 > answered {
                answered = next.image.id - 1
                lastProgress = time.now()
            }
            break
        }
        guard !parts.isEmpty else { return .done }
        let patience = hadConsumers ? SubmittedJobs.patience : SubmittedJobs.patienceWithoutConsumers
        guard isExact || time.now().timeIntervalSince(lastProgress) > patience else { return .open }
        return .lost(try await loss())
    }

    private func loss() async throws -> String {
        var (images, after) = (0, answered)
        var services: Set<String> = []
        for part in parts {
            while true {
                let page = try await catalogue.images(part.filter, after: after, limit: SubmittedJobs.page)
                    .filter { $0.image.id <= part.last }
                guard let end = page.last else { break }
                after = end.image.id
                images += page.count
                services.formUnion(page.flatMap(\.lacking))
            }
            after = 0
        }
        return "\(counted(images, "image")) without a row of \(services.sorted().joined(separator: ", ")): "
            + "their jobs are in no queue any more, as after farm purge; farm produce --resume submits them again"
    }
}
