import Foundation
import Pipeline
import Synchronization
import Waiting

/// Jobs whose pictures are away: they go to the end of their queue, so that others pass them, and come round again.
final class PostponedPictures: Sendable {
    private struct Row {
        var jobs = 0
        var source = ""
        /// When the next one may go back.
        var next = Date.distantPast
    }

    /// How long a job is kept back, where the queue can.
    static let delay = Duration.seconds(5)
    /// Where it cannot, so many of a service go round in a second: a few times the queue's own work, and thousands have
    /// made way for others within seconds.
    private static let pace = 0.01

    private let time: any Timekeeper
    private let services = Mutex<[String: Row]>([:])

    init(time: any Timekeeper) { self.time = time }

    /// A job of the service goes back; returns when it may.
    /// - Parameter source: who has its picture.
    func postpone(_ service: String, _ source: String) async {
        let now = time.now()
        let turn = services.withLock { services in
            var row = services[service] ?? Row()
            row.jobs += 1
            row.source = source
            // A wall clock that is set back must not make the wait longer.
            let turn = min(max(row.next, now), now.addingTimeInterval(PostponedPictures.delay.seconds))
            row.next = turn.addingTimeInterval(PostponedPictures.pace)
            services[service] = row
            return turn
        }
        let wait = turn.timeIntervalSince(now)
        if wait > 0 { try? await time.sleep(.seconds(wait)) }
    }

    /// A job of the service had its picture.
    func passed(_ service: String) { services.withLock { $0[service]?.jobs = 0 } }

    /// How many jobs of each service went back since one had its picture, and whose picture the last one needs.
    var rows: [String: (jobs: Int, source: String)] {
        services.withLock { $0.filter { $0.value.jobs > 0 }.mapValues { ($0.jobs, $0.source) } }
    }
}
