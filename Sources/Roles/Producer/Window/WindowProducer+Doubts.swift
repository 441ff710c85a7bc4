import Foundation
import Model
import Pipeline
import Waiting

/// What an earlier run may have submitted.
extension WindowProducer {
    func settle(_ round: inout WindowRound, _ drain: Drain) async throws {
        for place in round.lanes.indices {
            if round.lanes[place].doubts == nil {
                let lane = round.lanes[place]
                guard let jobs = try await waiting(drain, "reading the images", { try await doubtful(lane) }) else {
                    return
                }
                round.lanes[place].doubts = SubmissionDoubts(jobs, since: time.now())
                if !jobs.isEmpty {
                    log.notice(
                        "\(lane.target.queue): looking for \(jobs.count) jobs that an earlier run may have submitted")
                }
            }
            guard let doubts = round.lanes[place].doubts else { continue }
            if !doubts.jobs.isEmpty { try await settle(&round.lanes[place], round.depths[place], drain) }
            round.lanes[place].settled()
        }
    }

    private func settle(_ lane: inout WindowLane, _ depth: QueueDepth, _ drain: Drain) async throws {
        guard var doubts = lane.doubts else { return }
        // First the queue, then the rows: what a worker takes in between has its row soon.
        let isDue = doubts.isDue(depth, window: lane.window, at: time.now())
        let name = lane.target.queue
        var seen: Set<UUID> = []
        if isDue {
            let wanted = Set(doubts.jobs.map(\.key.jobID))
            guard let found = try await waiting(drain, "looking for jobs", { try await waiting(wanted, in: name) })
            else { return }
            seen = found
        }
        let keys = doubts.jobs.map(\.key)
        let standings = try await waiting(drain, "looking for rows") {
            try await store.standing(of: keys, workerID: "producer")
        }
        guard let standings else { return }
        let done = Set(zip(keys, standings).filter { if case .open = $1 { false } else { true } }.map(\.0.jobID))
        doubts.keep { !done.contains($0.key.jobID) && !seen.contains($0.key.jobID) }
        if isDue {
            lane.missed += doubts.jobs.map(\.message)
            doubts = SubmissionDoubts([], since: .distantPast)
        }
        lane.doubts = doubts
    }

    private func doubtful(_ lane: WindowLane) async throws -> [SubmissionDoubts.Doubtful] {
        var jobs: [SubmissionDoubts.Doubtful] = []
        for mark in lane.cursors.map(\.mark) {
            for range in mark.doubts {
                var after = range.lowerBound - 1
                while after < range.upperBound {
                    let page = try await store.images(filter(mark.scope), after: after, limit: 500).map(\.image)
                    for image in page where image.id <= range.upperBound {
                        let key = JobKey(imageID: image.id, jobID: mark.jobID(of: image.id), redelivered: false)
                        jobs.append(.init(key: key, message: message(of: image, mark, lane.target)))
                    }
                    after = page.last?.id ?? range.upperBound
                }
            }
        }
        return jobs
    }

    /// Those of these jobs that wait.
    private func waiting(_ wanted: Set<UUID>, in queue: String) async throws -> Set<UUID> {
        let pass = try await self.queue.pass(through: queue, .waiting)
        var found: Set<UUID> = []
        do {
            while found.count < wanted.count, case let page = try await pass.next(), !page.isEmpty {
                let ids = page.compactMap { try? Job(body: $0.body, queue: queue, service: "").jobID }
                found.formUnion(ids.filter(wanted.contains))
            }
        } catch {
            try? await pass.close()
            throw error
        }
        try await pass.close()
        return found
    }
}
