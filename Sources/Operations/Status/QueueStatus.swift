import Model
import Monitoring
import Pipeline

/// What the store reports about the work on the queues.
package struct StoredWork: Sendable {
    /// The live workers.
    package var workers: [RegisteredWorker]
    /// The progress of the last hour. nil if it was not asked for.
    package var progress: ProgressReport?
    /// What operators have set; nil: not known.
    package var control: ControlSheet?

    package init(
        workers: [RegisteredWorker], progress: ProgressReport? = nil, control: ControlSheet? = nil
    ) {
        self.workers = workers
        self.progress = progress
        self.control = control
    }
}

/// What the queue reports: how many messages wait in which queue.
package struct QueueStatus: Sendable {
    /// What replaces `members` if the queue is out of reach.
    package static let unknown = [JSON.Member("queues", .null), JSON.Member("blocked", .null)]

    /// A queue and the workers on it.
    package struct Line: Sendable {
        /// The service or role that consumes it.
        package var service: String
        /// How many messages it holds.
        package var depth: QueueDepth
        /// The live workers. nil if they are not known.
        package var workers: [RegisteredWorker]?
        /// Why the workers are not known.
        package var absence: PortFault?
        /// Why the broker takes no messages.
        package var blockade: String?
        /// What operators have set.
        package var control: ServiceControl
        /// How many seconds the oldest message has waited. nil if none waits, or the queue cannot tell.
        package var oldest: Double?
        /// How fast the work goes on. nil if it is not known.
        var pace: WorkPace?
        /// How many messages waited before.
        var samples: [WaitingSample] = []
        /// What has ended in the last hour, by minutes.
        package var minutes: [MinuteCount] = []
    }

    /// The queues, this machine's first.
    package let lines: [Line]
    /// Why the broker takes no messages.
    package let blockade: String?

    /// - Parameter work: what the store reports, or why it does not.
    /// - Throws: `PortFault`.
    package init(_ services: ServiceDirectory, _ queue: Queue, _ work: Result<StoredWork, PortFault>) async throws {
        var absence: PortFault?
        if case .failure(let fault) = work { absence = fault }
        let (workers, progress) = ((try? work.get())?.workers, (try? work.get())?.progress)
        let control = (try? work.get())?.control
        let known = try await KnownQueues(services, queue, workers: workers ?? [])
        let depths = try await queue.depths(of: known.all.map(\.queue))
        let ages = try await queue.oldestAges(of: known.all.map(\.queue))
        let blockade = try await queue.blockade()
        // The queue of another machine's service is shown as soon as it holds a message or has a worker.
        lines = zip(known.all, depths).enumerated().compactMap { index, pair in
            let (named, depth) = pair
            let ofQueue = workers?.filter { $0.queue == named.queue }
            let set = control?[named.service] ?? ServiceControl(service: named.service)
            let isIdle =
                depth.waiting + (depth.inFlight ?? 0) + depth.dead == 0 && ofQueue?.isEmpty ?? true && !set.isAnything
            guard index < known.own.count || !isIdle else { return nil }
            // Rows count the results of a service, whoever writes them. They do not count the messages of a role, which
            // notes its own count.
            let minutes = progress.map { $0.services[named.service] ?? $0.queues[named.queue] ?? [] }
            return Line(
                service: named.service, depth: depth, workers: ofQueue, absence: absence, blockade: blockade,
                control: set, oldest: ages[index], pace: minutes.map(WorkPace.init),
                samples: progress?.samples[named.queue] ?? [], minutes: minutes ?? [])
        }
        self.blockade = blockade
    }

    /// The services and roles whose messages wait.
    package var waited: [String] { lines.filter { $0.depth.waiting > 0 }.map(\.service) }

    /// - Parameter refusal: why the store takes no rows.
    package func members(refusal: PortFault?) -> [JSON.Member] {
        [
            JSON.Member("queues", .array(lines.map { $0.json(refusal: refusal) })),
            JSON.Member("blocked", .optional(blockade)),
        ]
    }
}

extension QueueStatus.Line {
    fileprivate func json(refusal: PortFault?) -> JSON {
        let state = state(refusal: refusal)
        let left = timeLeft(state).map { left -> JSON in
            .object(["low": .rounded(left.lowerBound), "high": .rounded(left.upperBound)])
        }
        let members: [(String, JSON)] = [
            ("queue", .string(depth.queue)), ("service", .string(service)), ("waiting", .int(Int64(depth.waiting))),
            ("in_flight", .number(depth.inFlight)), ("dead", .int(Int64(depth.dead))),
        ]
        let set: [(String, JSON)] = [
            ("paused", .bool(control.isPaused)), ("paused_by", .optional(control.isPaused ? control.setBy : nil)),
            ("paused_until", .optional(control.until.map(Timestamp.iso8601))),
            ("pause_reason", .optional(control.reason)), ("rate_limit", control.rateLimit.map(JSON.double) ?? .null),
            ("concurrency", .number(control.concurrency)), ("obeying", .number(state.obeying)),
        ]
        let progress: [(String, JSON)] = [
            ("workers", .number(state.workers)), ("oldest_seconds", oldest.map(JSON.rounded) ?? .null),
            ("done_per_second", donePerSecond.map(JSON.rounded) ?? .null), ("eta_seconds", left ?? .null),
            ("why", .optional(state.why ?? state.slowness)),
        ]
        return .object((members + set + progress).map { JSON.Member($0, $1) })
    }

    /// Who works on it and, if nobody does, why not.
    package func state(refusal: PortFault?) -> QueueState {
        QueueState(depth, workers: workers, absence: absence, blockade: blockade, refusal: refusal, control: control)
    }

    /// The rate of the last five minutes. nil if it is not known.
    package var donePerSecond: Double? { pace?.last5 }

    /// How many seconds it takes until everything that waits is done. nil if the queue stands still, or nobody can
    /// tell.
    package func timeLeft(_ state: QueueState) -> ClosedRange<Double>? {
        state.why == nil ? pace?.timeLeft(waiting: depth.waiting, samples: samples) : nil
    }
}

extension JSON {
    /// null for nil.
    package static func number(_ value: Int?) -> JSON { value.map { .int(Int64($0)) } ?? .null }

    /// Three decimals are enough.
    package static func rounded(_ value: Double) -> JSON { .double((value * 1000).rounded() / 1000) }
}
