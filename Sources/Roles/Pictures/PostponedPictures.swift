import Foundation
import Pipeline
import Synchronization
import Waiting

/// Jobs whose pictures are away. They go to the end of their queue, so that others pass them, and come again.
final class PostponedPictures: Sendable {
    private struct Row {
        var jobs = 0
        var source = ""
        /// When the next job may go back.
        var next = Date.distantPast
    }

    /// How long a job is delayed, if the queue can delay.
    static let delay = Duration.seconds(5)
    /// If it cannot, the seconds between two jobs of a service that go back. This is a few times as fast as the queue's
    /// own work, and thousands of jobs make way for others within seconds.
    private static let pace = 0.01

    private let time: any Timekeeper
    private let services = Mutex<[String: Row]>([:])

    init(time: any Timekeeper) { self.time = time }

    /// Waits until a job of the service may go back.
    /// - Parameter source: the source of its picture.
    func postpone(_ service: String, _ source: String) async {
        let now = time.now()
        let turn = services.withLock { services in
            var row = services[service] ?? Row()
            row.jobs += 1
            row.source = source
            // If the wall clock is set back, the wait must not become longer.
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

    /// How many jobs of each service went back since one had its picture, and the source of the last one's picture.
    var rows: [String: (jobs: Int, source: String)] {
        services.withLock { $0.filter { $0.value.jobs > 0 }.mapValues { ($0.jobs, $0.source) } }
    }
}
