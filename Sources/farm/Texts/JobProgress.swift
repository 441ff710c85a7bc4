import Operations
import Synchronization

/// Shows the progress of jobs that are waited for, while others may still be added. A job that was there and is gone
/// counts as done.
final class JobProgress: Sendable {
    private struct Count {
        var done = 0
        var left: Int
    }

    private let progress: Progress
    private let count: Mutex<Count>

    /// - Parameter jobs: how many jobs there are when the waiting begins.
    init(_ title: String = "jobs done", jobs: Int = 0) {
        progress = Progress(title)
        count = Mutex(Count(left: jobs))
    }

    func show(_ standing: IdleWatch.Standing) {
        let count = count.withLock { count in
            count.done += max(0, count.left - standing.jobs)
            count.left = standing.jobs
            return count
        }
        progress.show(
            count.done, of: count.done + count.left, note: standing.note, estimates: !standing.isRefused)
    }

    /// Removes the line.
    func end() { progress.end() }
}

extension IdleWatch.Standing {
    /// What else there is to say: triggers that are left when the jobs are done, boxes that wait, and services that are
    /// down.
    fileprivate var note: String {
        let triggers = waiting + inFlight - jobs
        var rest = jobs == 0 && triggers > 0 ? [counted(triggers, "trigger") + " left"] : []
        rest += missing.sorted { $0.key < $1.key }.map { "\(counted($1, "box")) without \($0)" }
        if !paused.isEmpty { rest.append("paused: " + paused.joined(separator: ", ")) }
        if isRefused { rest.append("the store takes no rows") }
        return (rest + (outages.isEmpty ? [] : ["down: " + outages.keys.sorted().joined(separator: ", ")]))
            .joined(separator: ", ")
    }
}
