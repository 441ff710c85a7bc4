import Foundation
import Logging
import Model
import Pipeline
import Roles
import Waiting

/// Submits jobs so that only a window of them waits in each queue, and goes on where an earlier run has ended.
package struct WindowedProduction: Sendable {
    /// What there is to submit.
    package struct Extent: Sendable, Equatable {
        /// The number of images of all groups, or fewer if there is a limit.
        package var images: Int
        /// Images that earlier runs have submitted, for all services together: their jobs.
        package var jobsBefore: Int
        /// How many jobs are left. nil: that depends on results that come meanwhile.
        package var jobsLeft: Int?
        /// How many jobs are left out because they failed for good, by service.
        package var skipped: [String: Int]
    }

    /// What is to be submitted.
    package let options: WindowOptions
    let store: Store
    let queue: Queue
    let time: any Timekeeper
    let log: Logger
    let tracer: Tracer

    /// Prepares the submission.
    package init(
        options: WindowOptions, store: Store, queue: Queue, time: any Timekeeper, log: Logger, tracer: Tracer
    ) {
        self.options = options
        self.store = store
        self.queue = queue
        self.time = time
        self.log = log
        self.tracer = tracer
    }

    private var services: [String] { options.targets.map(\.service) }

    /// How much there is to submit.
    /// - Throws: `OperationFault` if one of the groups has no image, `PortFault`.
    package func extent() async throws -> Extent {
        var extent = Extent(images: 0, jobsBefore: 0, jobsLeft: 0, skipped: [:])
        for group in options.groups {
            let count = try await store.count(ImageFilter(group: group))
            guard count > 0 else { throw OperationFault.noImage(inGroup: group) }
            extent.images += count
            guard options.kind == .lacking else { continue }
            extent.skipped.merge(try await store.finalErrors(ImageFilter(group: group), of: services)) { $0 + $1 }
        }
        extent.images = min(extent.images, options.limit ?? .max)
        let scopes = services.flatMap { service in
            options.groups.map { SubmissionScope(service: service, group: $0, kind: options.kind) }
        }
        let known = options.restarts ? [] : try await store.submissions(scopes)
        extent.jobsBefore = known.reduce(0) { $0 + $1.images }
        guard options.kind == .every else {
            extent.jobsLeft = nil
            return extent
        }
        let before = Dictionary(grouping: known, by: \.scope.service).mapValues { $0.reduce(0) { $0 + $1.images } }
        extent.jobsLeft = services.reduce(0) { $0 + max(0, extent.images - (before[$1] ?? 0)) }
        return extent
    }

    /// What a run would submit, without submitting anything.
    /// - Throws: `PortFault`.
    package func lack() async throws -> Lack {
        var sum = Lack()
        for group in options.groups {
            let lack = try await store.lack(
                of: services, in: group, failed: options.kind == .failed, limit: options.limit)
            (sum.images, sum.jobs) = (sum.images + lack.images, sum.jobs + lack.jobs)
        }
        return sum
    }

    /// - Returns: what was submitted. nil if the drain began before anything was known.
    /// - Throws: `PortFault`; see `WindowProducer.run`.
    package func run(
        _ drain: Drain, progress: @Sendable (WindowCounts) async throws -> Void
    ) async throws -> WindowCounts? {
        try await WindowProducer(store: store, queue: queue, time: time, log: log, tracer: tracer)
            .run(options, drain: drain, progress: progress)
    }

    /// The jobs of this run and those before it, to wait for them.
    package func jobs(_ counts: WindowCounts) async throws -> SubmittedJobs {
        let answers: AnswerRule =
            switch options.kind {
            case .every: .newer(than: counts.baseline)
            case .lacking: .settledOrNewer(than: counts.baseline)
            case .failed: .successOrNewer(than: counts.baseline)
            }
        let parts = zip(options.groups, counts.lastImages).map { group, last in
            SubmittedJobs.Part(filter: ImageFilter(group: group, lacking: services, answers: answers), last: last)
        }
        let depths = try await queue.depths(of: options.targets.map(\.queue))
        return SubmittedJobs(
            parts, catalogue: store, time: time, hadConsumers: SubmittedJobs.mayHaveConsumers(depths))
    }
}

extension WindowCounts {
    /// The output of `farm produce --window --json`.
    package func json(_ options: WindowOptions, _ extent: WindowedProduction.Extent) -> JSON {
        let queues = lanes.map { lane in
            JSON.object([
                "queue": .string(lane.target.queue), "service": .string(lane.target.service),
                "jobs": .int(Int64(lane.jobs)), "images": .int(Int64(lane.images)),
                "waiting": .int(Int64(lane.waiting)),
                "complete": .bool(lane.isOver), "cause": .optional(lane.fault),
            ])
        }
        return .object([
            "images": .int(Int64(images)), "jobs": .int(Int64(jobs)),
            "services": .array(options.targets.map { .string($0.service) }), "dry_run": false,
            "skipped_failed": .int(Int64(extent.skipped.values.reduce(0, +))),
            "window": .int(Int64(options.window)), "groups": .array(options.groups.compactMap { $0 }.map(JSON.string)),
            "jobs_before": .int(Int64(extent.jobsBefore)), "complete": .bool(isOver), "queues": .array(queues),
        ])
    }
}
