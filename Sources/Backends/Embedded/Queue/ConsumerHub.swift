import Foundation
import GRDB
import Logging
import Pipeline
import Synchronization
import Waiting

/// What the consumers of one process share: the lease, the bell that wakes them, and what rings the bell: publishing in
/// this process, other processes (the watch), and time (the alarm).
///
/// Thread safety: `State` is behind a mutex. `holder` is set only inside write transactions, which run one after
/// another on the file's writing queue. If such a transaction is rolled back, the holder in memory has no row. The next
/// transaction finds that out, and registers a new one.
final class ConsumerHub: Sendable {
    private struct State {
        var holder: Int64?
        var lastTag: Int64 = 0
        var isOpen = false
        var watch: LogWatch?
        var upkeep: Task<Void, Never>?
        /// The writing connection's `PRAGMA data_version`, which changes only by commits of others.
        var dataVersion: Int?
        /// Whether renewing the lease has failed. That was logged.
        var isFailing = false
    }

    let bell = Bell()
    let file: SQLiteFile
    let time: any Timekeeper
    let log: Logger
    private let lease: Duration
    private let alarm: Alarm
    private let state = Mutex(State())

    init(file: SQLiteFile, time: any Timekeeper, log: Logger, lease: Duration) {
        self.file = file
        self.time = time
        self.log = log
        self.lease = lease
        alarm = Alarm(time: time, longest: lease.seconds / 3)
    }

    /// The present lease holder of this process.
    var holder: Int64? { state.withLock { $0.holder } }

    // MARK: Life

    /// Called by each consumer that begins. The first one starts the upkeep.
    ///
    /// The upkeep is the only unstructured task of the embedded backend. A lease belongs to the process, and not to the
    /// roles that come and go in it, so only the life of the database could hold the task. `close` cancels it and waits
    /// for its end. The task does not keep the hub alive.
    /// waits for its end; it does not keep the hub alive by itself.
    func open() {
        state.withLock { state in
            guard !state.isOpen else { return }
            state.isOpen = true
            state.watch = makeWatch()
            state.upkeep = Task { [weak self, alarm] in
                while true {
                    switch await alarm.wait() {
                    case .due: await self?.maintain()
                    case .called: await self?.lookForOthers()
                    case .cancelled: return
                    }
                    if self == nil { return }
                }
            }
        }
    }

    private func makeWatch() -> LogWatch? {
        do {
            return try LogWatch(log: file.logPath) { [alarm] in alarm.call() }
        } catch {
            log.warning("\(file.place): jobs of other processes are seen late, by looking every \(interval): \(error)")
            return nil
        }
    }

    /// Gives back everything that this process has leased.
    func close() async {
        let (watch, upkeep) = state.withLock { state in
            defer { (state.watch, state.upkeep) = (nil, nil) }
            return (state.watch, state.upkeep)
        }
        watch?.close()
        upkeep?.cancel()
        await upkeep?.value
        guard let holder else { return }
        do {
            try await file.write(announced: true) { try LeaseTable.end(holder, $0) }
        } catch {
            log.warning("what was not settled comes again when the lease runs out: \(error)")
        }
    }

    // MARK: Taking

    /// Leases messages to this process, after it has made ready what is due.
    func take(_ queue: String, limit: Int) async throws -> (holder: Int64, taken: [QueueTable.Taken]) {
        try await file.write { database in
            let now = StoredTime.milliseconds(self.time.now())
            try self.release(at: now, database)
            let holder = try LeaseTable.ensure(self.holder, until: self.expiry(now), database)
            self.state.withLock { $0.holder = holder }
            return (holder, try QueueTable.take(queue, limit: limit, holder: holder, database))
        }
    }

    /// Numbers for receipts. No number is used twice in this process.
    func tags(_ count: Int) -> Range<Int64> {
        state.withLock { state in
            assert(count > 0, "numbers are for deliveries that were taken")
            let first = state.lastTag + 1
            state.lastTag += Int64(count)
            return first..<first + Int64(count)
        }
    }

    // MARK: Waking

    /// Says that messages of these queues can be taken from `dueAt` on (ms since 1970). nil for now.
    func announce(_ queues: Set<String>, dueAt: Int64?) {
        if let dueAt { alarm.bring(forwardTo: StoredTime.date(milliseconds: dueAt)) } else { bell.ring(queues: queues) }
    }

    /// Another process, or perhaps this one, has announced messages.
    private func lookForOthers() async {
        guard bell.hasWaiters else { return bell.ringAll() }
        do {
            let survey = try await file.onWriter { database -> Survey? in
                let version = try database.integer("PRAGMA data_version")
                let isChanged = self.state.withLock { state in
                    defer { state.dataVersion = version }
                    return state.dataVersion != version
                }
                return isChanged ? try self.survey(database) : nil
            }
            if let survey { tell(survey) }
        } catch {
            log.debug("\(error)")
        }
    }

    // MARK: Upkeep

    /// Renews the lease, makes ready what is due, wakes consumers that can take, and sets the alarm.
    private func maintain() async {
        let now = time.now()
        let milliseconds = StoredTime.milliseconds(now)
        do {
            let (isLost, survey) = try await file.write { database in
                let before = self.holder
                let holder = try LeaseTable.renew(before, until: self.expiry(milliseconds), database)
                self.state.withLock { $0.holder = holder }
                try self.release(at: milliseconds, database)
                return (before != nil && before != holder, try self.survey(database))
            }
            alarm.set(now.addingTimeInterval(interval.seconds))
            if isLost {
                log.warning("\(file.place): the lease ran out (was this machine asleep?): what was taken comes again")
            }
            if setFailing(false) { log.notice("\(file.place): the lease is renewed again") }
            tell(survey)
        } catch {
            if !setFailing(true) { log.warning("the lease is not renewed, trying again: \(error)") }
            alarm.set(now.addingTimeInterval(interval.seconds / 5))
        }
    }

    /// - Returns: whether it failed before.
    private func setFailing(_ isFailing: Bool) -> Bool {
        state.withLock { state in
            defer { state.isFailing = isFailing }
            return state.isFailing
        }
    }

    private var interval: Duration { lease / 3 }

    private func expiry(_ now: Int64) -> Int64 { now + Int64((lease.seconds * 1000).rounded(.up)) }

    private func release(at now: Int64, _ database: Database) throws {
        try LeaseTable.releaseExpired(at: now, except: holder, database)
        try QueueTable.releaseDue(at: now, database)
    }

    /// What this process's consumers can take, and when there may be more.
    private struct Survey: Sendable {
        var ready: Set<String>
        var nextDue: Int64?
    }

    private func survey(_ database: Database) throws -> Survey {
        let due = [try QueueTable.nextDue(database), try LeaseTable.nextExpiry(except: holder, database)]
        return Survey(ready: try QueueTable.ready(among: bell.queues, database), nextDue: due.compactMap { $0 }.min())
    }

    private func tell(_ survey: Survey) {
        bell.ring(queues: survey.ready)
        if let due = survey.nextDue { alarm.bring(forwardTo: StoredTime.date(milliseconds: due)) }
    }
}
