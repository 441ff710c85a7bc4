import Foundation
import Logging
import Model
import Pipeline
import Roles
import Waiting

/// Which jobs are to be submitted.
package struct ProductionOrder: Sendable {
    /// The services.
    package var targets: [Target]
    /// Only images of this group. nil for any.
    package var group: String?
    /// The largest number of images. nil for all.
    package var limit: Int?
    /// The pause between two jobs.
    package var delay: Duration = .zero
    /// Whether jobs are left out that have a successful result or have failed for good.
    package var resumes = false
    /// Whether jobs that have failed for good are submitted all the same.
    package var includesFailed = false
    /// Whether jobs are only counted.
    package var isDryRun = false

    /// Jobs of these services.
    package init(
        targets: [Target], group: String? = nil, limit: Int? = nil, delay: Duration = .zero, resumes: Bool = false,
        includesFailed: Bool = false, isDryRun: Bool = false
    ) {
        self.targets = targets
        self.group = group
        self.limit = limit
        self.delay = delay
        self.resumes = resumes
        self.includesFailed = includesFailed
        self.isDryRun = isDryRun
    }
}

/// Submits jobs of images for services, and knows what to wait for afterwards.
package struct Production: Sendable {
    /// What was submitted.
    package struct Submitted: Sendable {
        /// How many images and jobs.
        package var counts: ProducerCounts
        /// How many jobs were left out because they failed for good, by service.
        package var skipped: [String: Int]
    }

    /// The situation before anything was submitted.
    package struct Beginning: Sendable {
        /// The newest row, and the time.
        package var mark: FailureMark
        /// Whether the queues have consumers, as far as they tell.
        var hasConsumers: Bool
    }

    /// The jobs that are to be submitted.
    package let order: ProductionOrder
    let store: Store
    let queue: Queue
    let time: any Timekeeper
    let log: Logger
    let tracer: Tracer

    /// Prepares the submission of an order.
    package init(
        order: ProductionOrder, store: Store, queue: Queue, time: any Timekeeper, log: Logger, tracer: Tracer
    ) {
        self.order = order
        self.store = store
        self.queue = queue
        self.time = time
        self.log = log
        self.tracer = tracer
    }

    /// How many jobs of these services still wait or, as far as the queue tells, are in flight.
    /// - Throws: `PortFault`.
    package func waiting() async throws -> Int {
        try await queue.depths(of: order.targets.map(\.queue)).reduce(0) { $0 + $1.waiting + $1.knownInFlight }
    }

    /// To be called before `run`.
    /// - Parameter looksAtQueues: whether the jobs will be waited for.
    /// - Throws: `PortFault`.
    package func beginning(looksAtQueues: Bool) async throws -> Beginning {
        let mark = try await store.failureMark()
        let depths = looksAtQueues ? try await queue.depths(of: order.targets.map(\.queue)) : []
        return Beginning(mark: mark, hasConsumers: SubmittedJobs.mayHaveConsumers(depths))
    }

    /// - Parameter progress: called with what is submitted, and the number of images.
    /// - Throws: `OperationFault` if there is no image, `PortFault`.
    package func run(
        _ drain: Drain, progress: @Sendable (ProducerCounts, Int) -> Void
    ) async throws -> Submitted {
        let services = order.targets.map(\.service)
        let inGroup = ImageFilter(group: order.group)
        let present = try await store.count(inGroup)
        guard present > 0 else { throw OperationFault.noImage(inGroup: order.group) }
        let filter = ImageFilter(
            group: order.group, lacking: order.resumes ? services : nil,
            answers: order.includesFailed ? .success : .settled)
        let most = min(present, order.limit ?? .max)
        let lack =
            order.resumes
            ? try await store.lack(of: services, in: order.group, failed: order.includesFailed, limit: order.limit)
            : Lack(images: most, jobs: most * services.count)
        if order.isDryRun {
            var counts = ProducerCounts()
            (counts.images, counts.jobs) = (lack.images, lack.jobs)
            return Submitted(counts: counts, skipped: lack.failed)
        }
        let options = ProducerOptions(
            targets: order.targets, filter: filter, limit: order.limit, delay: order.delay)
        let counts = try await Producer(catalogue: store, queue: queue, time: time, log: log, tracer: tracer)
            .run(options, drain: drain) { progress($0, lack.images) }
        return Submitted(counts: counts, skipped: lack.failed)
    }

    /// The jobs of a run, to wait for them.
    package func jobs(_ counts: ProducerCounts, since beginning: Beginning) -> SubmittedJobs {
        let baseline = beginning.mark.resultID
        let answers: AnswerRule =
            !order.resumes
            ? .newer(than: baseline)
            : order.includesFailed ? .successOrNewer(than: baseline) : .settledOrNewer(than: baseline)
        let filter = ImageFilter(group: order.group, lacking: order.targets.map(\.service), answers: answers)
        return SubmittedJobs(
            [SubmittedJobs.Part(filter: filter, last: counts.lastImage)], catalogue: store, time: time,
            hadConsumers: beginning.hasConsumers)
    }
}

extension Production.Submitted {
    /// The output of `farm produce --json` (spec section 1).
    package func json(_ order: ProductionOrder) -> JSON {
        let waiting: [JSON.Member] =
            counts.waiting.isEmpty ? [] : [JSON.Member("waiting", .array(counts.waiting.map(\.json)))]
        return .object(
            [
                JSON.Member("images", .int(Int64(counts.images))), JSON.Member("jobs", .int(Int64(counts.jobs))),
                JSON.Member("services", .array(order.targets.map { .string($0.service) })),
                JSON.Member("dry_run", .bool(order.isDryRun)),
                JSON.Member("skipped_failed", .int(Int64(skipped.values.reduce(0, +)))),
            ] + waiting)
    }
}

extension WaitingQueue {
    fileprivate var json: JSON {
        .object(["queue": .string(queue), "jobs": .int(Int64(jobs)), "cause": .string(cause)])
    }
}
