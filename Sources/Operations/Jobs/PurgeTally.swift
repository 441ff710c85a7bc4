import Model

/// What was dropped from which queue, or would be.
package struct PurgeTally {
    private var counts: [(target: KnownQueues.Named, jobs: Int)] = []

    package init() {}

    /// The total of all queues.
    package var jobs: Int { counts.reduce(0) { $0 + $1.jobs } }

    /// Begins the next queue.
    package mutating func begin(_ target: KnownQueues.Named) { counts.append((target, 0)) }

    /// Adds to the queue that was begun last.
    package mutating func add(_ jobs: Int) {
        guard let last = counts.indices.last else { return }
        counts[last].jobs += jobs
    }

    /// Messages of a role are triggers and not jobs.
    private var noun: String {
        counts.contains { $0.jobs > 0 && PostProcessing(rawValue: $0.target.service) != nil }
            ? "waiting message" : "waiting job"
    }

    /// `12 waiting jobs dropped: 8 of clip, 4 of blip`.
    package func text(_ verb: String) -> String {
        let parts = counts.filter { $0.jobs > 0 }.map { "\($0.jobs) of \($0.target.service)" }.joined(separator: ", ")
        return counted(jobs, noun) + verb + (parts.isEmpty ? "" : ": " + parts)
    }

    /// The output of `farm purge --json` (spec section 1).
    package func json(isDryRun: Bool) -> JSON {
        let queues = counts.map { target, jobs in
            JSON.object([
                "queue": .string(target.queue), "service": .string(target.service), "jobs": .int(Int64(jobs)),
            ])
        }
        return .object(["jobs": .int(Int64(jobs)), "queues": .array(queues), "dry_run": .bool(isDryRun)])
    }
}
