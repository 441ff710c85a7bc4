import Foundation
import Pipeline
import Synchronization

/// Tells of a worker's work for its row in the table of live workers.
public final class WorkerFigureSource: Sendable {
    /// A count at a time.
    private struct Mark {
        var at: Date
        var completed: Int
    }

    /// The rate is that since the mark before the newest one, so it covers one to two of these.
    private static let window = 60.0

    private let version: String?
    private let concurrency: @Sendable () -> Int?
    private let activity: WorkerActivity
    private let marks = Mutex<[Mark]>([])

    /// - Parameters:
    ///   - version: the version of farm.
    ///   - concurrency: how many calls the service gets from the worker at once, at this moment.
    ///   - activity: what the worker has done.
    package init(
        version: String? = nil, concurrency: @escaping @Sendable () -> Int? = { nil },
        activity: WorkerActivity = WorkerActivity()
    ) {
        self.version = version
        self.concurrency = concurrency
        self.activity = activity
    }

    /// The figures at a time.
    func figures(at now: Date) -> WorkerFigures {
        let snapshot = activity.snapshot
        return WorkerFigures(
            version: version, concurrency: concurrency(), completed: snapshot.completed,
            rate: rate(now, snapshot.completed), lastJob: snapshot.lastJob)
    }

    /// nil before there are two counts a second apart.
    private func rate(_ now: Date, _ completed: Int) -> Double? {
        marks.withLock { marks in
            // A clock that was set back, or a worker that began anew, begins a new measurement.
            if let last = marks.last, now < last.at || completed < last.completed { marks = [] }
            if marks.last.map({ now.timeIntervalSince($0.at) >= WorkerFigureSource.window }) ?? true {
                marks = marks.suffix(1) + [Mark(at: now, completed: completed)]
            }
            guard let first = marks.first else { return nil }
            let seconds = now.timeIntervalSince(first.at)
            return seconds >= 1 ? Double(completed - first.completed) / seconds : nil
        }
    }
}
