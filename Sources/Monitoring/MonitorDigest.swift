import Foundation
import Pipeline

/// The windows of a report as dates.
package struct HeartbeatWindows: Sendable {
    /// After this many seconds of silence a worker is forgotten.
    private static let memory = 24 * 3600.0

    package var now: Date
    /// A worker that has been silent since before this time is dead.
    package var live: Date
    package var performance: Date
    package var errors: Date
    /// A worker that has been silent since before this time is forgotten.
    package var forgotten: Date

    package init(_ windows: MonitorWindows, now: Date) {
        self.now = now
        live = now.addingTimeInterval(-windows.deadThreshold.seconds)
        performance = now.addingTimeInterval(-windows.performance.seconds)
        errors = now.addingTimeInterval(-windows.errors.seconds)
        forgotten = now.addingTimeInterval(-HeartbeatWindows.memory)
    }

    /// The oldest heartbeat that matters.
    package var first: Date { [live, performance, errors, forgotten].min() ?? forgotten }
}

/// Makes the report from heartbeats, oldest first. It is a pure function.
package struct MonitorDigest {
    /// A worker on a machine. By the id alone, workers on two machines that share an id would look like one.
    private struct Place: Hashable {
        var workerID: String
        var nodeHostname: String

        init(_ heartbeat: StoredHeartbeat) {
            workerID = heartbeat.workerID
            nodeHostname = heartbeat.nodeHostname
        }
    }

    private let windows: HeartbeatWindows
    private let heartbeats: [StoredHeartbeat]
    private let latest: [StoredHeartbeat]
    private let spans: [WorkerReplacement.Span]

    package init(_ heartbeats: [StoredHeartbeat], windows: HeartbeatWindows) {
        self.windows = windows
        self.heartbeats = heartbeats
        var spans: [Place: WorkerReplacement.Span] = [:]
        for beat in heartbeats {
            spans[Place(beat), default: WorkerReplacement.Span(began: beat.timestamp, last: beat)].last = beat
        }
        self.spans = Array(spans.values)
        latest = spans.values.map(\.last).sorted {
            ($0.workerID, $0.nodeHostname) < ($1.workerID, $1.nodeHostname)
        }
    }

    package var report: MonitorReport {
        let replaced = Set(replacement.replaced.map(Place.init))
        return MonitorReport(
            deadWorkers: silent { !replaced.contains($0) }, replacedWorkers: silent(replaced.contains),
            performance: performance, nodes: nodes, errors: errors, sharedIDs: sharedIDs)
    }

    private var live: [StoredHeartbeat] { latest.filter(isLive) }

    private func isLive(_ last: StoredHeartbeat) -> Bool { !last.isStopping && last.timestamp >= windows.live }

    private var replacement: WorkerReplacement {
        WorkerReplacement(spans, restart: windows.now.timeIntervalSince(windows.live), isLive: isLive)
    }

    /// Workers that fell silent without saying `stopping`, and are not forgotten, the longest silent first.
    private func silent(_ isMeant: (Place) -> Bool) -> [DeadWorker] {
        latest.filter { beat in
            !beat.isStopping && beat.timestamp < windows.live && beat.timestamp >= windows.forgotten
                && isMeant(Place(beat))
        }
        .map { beat in
            DeadWorker(
                workerID: beat.workerID, serviceName: beat.serviceName, nodeHostname: beat.nodeHostname,
                lastSeen: beat.timestamp, minutesSilent: windows.now.timeIntervalSince(beat.timestamp) / 60)
        }
        .sorted { ($0.lastSeen, $0.workerID) < ($1.lastSeen, $1.workerID) }
    }

    private var nodes: [NodeReport] {
        Dictionary(grouping: live, by: \.nodeHostname).map { host, beats in
            NodeReport(
                nodeHostname: host, workers: Set(beats.map(\.workerID)).count,
                services: Set(beats.map(\.serviceName)).sorted())
        }
        .sorted { $0.nodeHostname < $1.nodeHostname }
    }

    private var errors: [WorkerError] {
        heartbeats.reversed().filter { $0.status == "error" && $0.timestamp >= windows.errors }.map { beat in
            WorkerError(
                timestamp: beat.timestamp, workerID: beat.workerID, serviceName: beat.serviceName,
                nodeHostname: beat.nodeHostname, message: beat.errorMessage ?? "")
        }
    }
}

// MARK: Performance

extension MonitorDigest {
    private var performance: [ServicePerformance] {
        let byService = Dictionary(grouping: heartbeats, by: \.serviceName)
        return byService.compactMap { service, beats -> ServicePerformance? in
            guard let last = beats.last, last.timestamp >= windows.performance else { return nil }
            let workers = Dictionary(grouping: beats, by: Place.init).values
                .filter { ($0.last?.timestamp ?? .distantPast) >= windows.performance }
            return ServicePerformance(
                serviceName: service, workers: workers.compactMap(\.last).count(where: isLive),
                jobsPerMinute: workers.compactMap(\.last).filter(isLive).reduce(0) { $0 + $1.jobsPerMinute },
                jobsCompleted: workers.reduce(0) { $0 + completed($1) }, lastUpdate: last.timestamp)
        }
        .sorted { $0.serviceName < $1.serviceName }
    }

    /// How much one worker's count has grown within the window. The count starts from 0 with each run. What the
    /// first known heartbeat counts was done before it.
    private func completed(_ beats: [StoredHeartbeat]) -> Int {
        zip(beats, beats.dropFirst()).reduce(0) { sum, pair in
            let (before, after) = pair
            guard after.timestamp >= windows.performance else { return sum }
            let grown = after.jobsCompleted.subtractingReportingOverflow(before.jobsCompleted)
            let step = grown.overflow || grown.partialValue < 0 ? max(0, after.jobsCompleted) : grown.partialValue
            return sum.addingReportingOverflow(step).partialValue
        }
    }
}

// MARK: Shared ids

extension MonitorDigest {
    /// Ids that two live workers share and that show it: they are on two machines, or in two services, or the count of
    /// jobs falls although no worker has started. Two idle workers of one service on one machine do not show it.
    private var sharedIDs: [String] {
        let recent = heartbeats.filter { $0.timestamp >= windows.live }
        return Dictionary(grouping: recent, by: \.workerID).filter { _, beats in
            var last: [[String]: StoredHeartbeat] = [:]
            for beat in beats { last[[beat.nodeHostname, beat.serviceName]] = beat }
            if last.values.filter({ !$0.isStopping }).count > 1 { return true }
            return zip(beats, beats.dropFirst()).contains { before, after in
                after.status != "starting" && after.jobsCompleted < before.jobsCompleted
            }
        }
        .keys.sorted()
    }
}
