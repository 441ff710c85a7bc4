import Logging
import Model
import Pipeline
import Waiting

/// Warns, once for each role, of triggers that wait for a role that this machine does not run and that nobody consumes.
package struct UnservedWatch {
    private static let interval = Duration.seconds(10)

    let queue: Queue
    let heartbeats: (any HeartbeatStore)?
    let control: any ControlRecords
    let time: any Timekeeper
    let log: Logger
    let roles: [PostProcessing]

    /// - Parameters:
    ///   - control: tells what is paused: nobody is to take that.
    ///   - roles: the roles that this machine does not run.
    package init(
        queue: Queue, heartbeats: (any HeartbeatStore)?, control: any ControlRecords, time: any Timekeeper, log: Logger,
        roles: [PostProcessing]
    ) {
        self.queue = queue
        self.heartbeats = heartbeats
        self.control = control
        self.time = time
        self.log = log
        self.roles = roles
    }

    /// Runs until it is cancelled. If a look fails, it looks again later. Two looks in a row have to agree, so a role
    /// that is just starting is not reported.
    /// - Throws: `CancellationError`.
    package func run() async throws {
        guard !roles.isEmpty else { return }
        var told: Set<PostProcessing> = []
        var before: Set<PostProcessing> = []
        while true {
            let unserved = (try? await look()) ?? []
            let notice = unserved.filter { before.contains($0.role) && told.insert($0.role).inserted }
            if !notice.isEmpty { warn(notice) }
            before = Set(unserved.map(\.role))
            try await time.sleep(UnservedWatch.interval)
        }
    }

    private func look() async throws -> [(role: PostProcessing, triggers: Int)] {
        let depths = try await queue.depths(of: roles.map(\.queue))
        let paused = try await control.control()
        let waiting = zip(roles, depths).filter { $1.waiting > 0 && !paused[$0.rawValue].isPaused }
        guard !waiting.isEmpty else { return [] }
        let report = try await heartbeats?.report(MonitorWindows())
        let alive = report.map { Set($0.nodes.flatMap(\.services)) }
        return waiting.filter { role, depth in
            // A broker counts the consumers of a queue. Heartbeats only show roles that write them.
            if let consumers = depth.consumers { return consumers == 0 }
            return alive.map { !$0.contains(role.rawValue) } ?? false
        }.map { ($0, $1.waiting) }
    }

    private func warn(_ unserved: [(role: PostProcessing, triggers: Int)]) {
        let what = unserved.map { "\(counted($0.triggers, "trigger")) of \($0.role.rawValue)" }.joined(separator: ", ")
        let commands = unserved.map { "farm \($0.role.command)" }.joined(separator: ", ")
        log.warning(
            """
            \(what) waiting, and nobody takes them: run \(commands), or farm up on a machine whose service_config.json has \
            the post_processing entry
            """)
    }
}
