import Foundation
import Logging
import Model
import Pipeline
import Roles
import Waiting

/// Submits jobs so that only a window of them waits in each queue, and goes on where an earlier run has ended.
package struct WindowedProduction: Sendable {
    /// What earlier runs have left.
    package struct Beginning: Sendable, Equatable {
        /// How many jobs they have submitted.
        package var jobs = 0
        /// By service.
        var images: [String: Int] = [:]
        /// How many jobs are left out because they failed for good, by service.
        package var skipped: [String: Int] = [:]
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

    /// What earlier runs have left. It does not depend on how many images there are.
    /// - Throws: `OperationFault` if one of the groups has no image, `PortFault`.
    package func beginning() async throws -> Beginning {
        var beginning = Beginning()
        for group in options.groups {
            let first = try await store.images(ImageFilter(group: group), after: 0, limit: 1)
            guard !first.isEmpty else { throw OperationFault.noImage(inGroup: group) }
            guard options.kind == .lacking else { continue }
            beginning.skipped.merge(try await store.finalErrors(ImageFilter(group: group), of: services)) { $0 + $1 }
        }
        guard !options.restarts else { return beginning }
        let scopes = services.flatMap { service in
            options.groups.map { SubmissionScope(service: service, group: $0, kind: options.kind) }
        }
        for mark in try await store.submissions(scopes) {
            beginning.images[mark.scope.service, default: 0] += mark.images
            beginning.jobs += mark.images
        }
        return beginning
    }

    /// The number of images of all groups, or fewer if there is a limit. Of very many, this takes a while.
    /// - Throws: `PortFault`.
    package func images() async throws -> Int {
        var images = 0
        for group in options.groups { images += try await store.count(ImageFilter(group: group)) }
        return min(images, options.limit ?? .max)
    }

    /// What a run would submit, without submitting anything.
    /// - Throws: `PortFault`.
    package func lack(_ beginning: Beginning) async throws -> Lack {
        guard options.kind != .every else {
            let images = try await images()
            return Lack(images: images, jobs: services.reduce(0) { $0 + max(0, images - (beginning.images[$1] ?? 0)) })
        }
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
    package func json(_ options: WindowOptions, _ beginning: WindowedProduction.Beginning) -> JSON {
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
            "skipped_failed": .int(Int64(beginning.skipped.values.reduce(0, +))),
            "window": .int(Int64(options.window)), "groups": .array(options.groups.compactMap { $0 }.map(JSON.string)),
            "jobs_before": .int(Int64(beginning.jobs)), "complete": .bool(isOver), "queues": .array(queues),
        ])
    }
}
