import Composition
import Foundation
import Model
import Operations
import Pipeline
import Roles
import Synchronization
import Waiting

/// `farm produce --window`, with its progress and its output.
struct WindowRun {
    let session: FarmSession
    let options: WindowOptions
    let isJSON: Bool

    private var production: WindowedProduction {
        WindowedProduction(
            options: options, store: session.backends.store, queue: session.backends.queue, time: session.time,
            log: session.log("farm"), tracer: session.context.tracer)
    }

    private var services: String { options.targets.map(\.service).joined(separator: ", ") }

    /// Prints what would be submitted.
    func count() async throws {
        let beginning = try await production.beginning()
        let lack = try await production.lack(beginning)
        guard !isJSON else {
            return Terminal.output(
                JSON.object([
                    "images": .int(Int64(lack.images)), "jobs": .int(Int64(lack.jobs)),
                    "services": .array(options.targets.map { .string($0.service) }), "dry_run": true,
                    "skipped_failed": .int(Int64(beginning.skipped.values.reduce(0, +))),
                    "window": .int(Int64(options.window)),
                    "groups": .array(options.groups.compactMap { $0 }.map(JSON.string)),
                    "jobs_before": .int(Int64(beginning.jobs)),
                ]).text)
        }
        Terminal.output(
            "\(counted(lack.jobs, "job")) would be submitted: \(counted(lack.images, "image")) × \(services)")
        if beginning.jobs > 0 { Terminal.error("farm: \(before(beginning)) before") }
    }

    /// Submits.
    /// - Returns: the jobs to wait for, how many there are, and what had failed before.
    func submit(_ drain: Drain) async throws -> (SubmittedJobs, Int, FailureMark)? {
        let production = production
        let beginning = try await production.beginning()
        let mark = try await session.backends.store.failureMark()
        if beginning.jobs > 0, !options.restarts {
            Terminal.error("farm: going on where an earlier run has ended: \(before(beginning)) so far")
        }
        let progress = Progress("jobs submitted")
        let watch = FullQueueWatch(store: session.backends.store) { Terminal.error("farm: \($0)") }
        // Nobody waits for the count of very many images, which only shows how far it is.
        let images = Mutex<Int?>(nil)
        async let _: Void = {
            guard options.kind == .every, let count = try? await production.images() else { return }
            images.withLock { $0 = count }
        }()
        let counts = try await production.run(drain) { counts in
            let notes = counts.lanes.compactMap(\.note)
            progress.show(
                counts.jobsInAll, of: images.withLock { $0 }.map { $0 * options.targets.count },
                initial: beginning.jobs, note: notes.joined(separator: ", "))
            await watch.look(at: counts.lanes)
        }
        progress.end()
        guard let counts else { return nil }
        report(counts, beginning)
        if counts.jobs == 0, counts.isOver, beginning.jobs > 0, options.kind == .every {
            Terminal.error("farm: no image has come since; --restart submits all of them again")
        }
        CommandFailure.tell(skipped: beginning.skipped)
        if !counts.isOver {
            for lane in counts.lanes {
                if let fault = lane.fault { Terminal.error("farm: \(lane.target.queue) took no more: \(fault)") }
            }
            Terminal.error("farm: stopped after \(counted(counts.jobs, "job")); the same command submits the rest")
        }
        return (try await production.jobs(counts), counts.jobsInAll, mark)
    }

    private func before(_ beginning: WindowedProduction.Beginning) -> String {
        "\(counted(beginning.jobs, "job")) had been submitted"
    }

    private func report(_ counts: WindowCounts, _ beginning: WindowedProduction.Beginning) {
        guard !isJSON else { return Terminal.output(counts.json(options, beginning).text) }
        Terminal.output(
            "\(counted(counts.jobs, "job")) submitted, \(counted(counts.jobsInAll, "job")) in all: "
                + "\(counted(counts.images, "image")) × \(services)")
    }
}

extension LaneStanding {
    /// What is waited for. nil while its queue has room.
    fileprivate var note: String? {
        if let fault { return "waiting for \(target.queue): \(fault)" }
        if doubtful > 0 { return "looking for \(counted(doubtful, "job")) in \(target.queue)" }
        return stillSeconds >= 5 ? "\(target.queue) is full (\(waiting) wait)" : nil
    }
}
