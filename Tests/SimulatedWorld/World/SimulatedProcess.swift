import Foundation
import Logging
import Pipeline
import Synchronization
import Waiting

/// What a port throws to the tasks of a process that is dead.
struct Died: Error {}

/// A server that the processes talk to.
enum Server: String, Sendable {
    case queue, store, heartbeats

    func latency(_ plan: Plan) -> VirtualTime {
        switch self {
        case .queue: plan.queueLatency
        case .store, .heartbeats: plan.storeLatency
        }
    }
}

/// One process of the farm: its executor, its clock, its way to the servers.
///
/// A Swift task cannot be killed, and one that is abandoned would never give back its memory. So a process that dies is
/// cut off from the world: from that moment no port does anything for it, its roles are cancelled, and its tasks run to
/// their end before any other, as ghosts. Nothing of what they do then can be seen from outside, and that they end is
/// seen by the way.
final class SimulatedProcess: Sendable {
    let number: Int
    let box: Int
    let name: String
    let conditions: Conditions
    let executor: ProcessExecutor
    /// The request to end gracefully.
    let drain = Drain()
    let orders = PauseOrders()
    private let death = Drain()
    private let clock: BoxClock
    private let over = Atomic(false)

    init(number: Int, box: Int, name: String, conditions: Conditions, clock: BoxClock) {
        self.number = number
        self.box = box
        self.name = name
        self.conditions = conditions
        self.clock = clock
        executor = ProcessExecutor(process: number, scheduler: conditions.scheduler)
    }

    var isAlive: Bool { !executor.isDead }
    /// Whether all its tasks have ended.
    var isOver: Bool { over.load(ordering: .relaxed) }
    var log: Logger { conditions.trace.logger(of: name) }

    func say(_ what: @autoclosure () -> String) { conditions.trace.say(name, what()) }

    // MARK: Life

    func start(_ work: @escaping @Sendable () async -> Void) {
        Task(executorPreference: executor) {
            await work()
            self.over.store(true, ordering: .relaxed)
        }
    }

    func die() {
        executor.die()
        death.begin()
        drain.begin()
    }

    /// Runs a role's work; the death of the process cancels it.
    func untilDeath(_ work: @escaping @Sendable () async throws -> Void) async throws {
        _ = try await death.until(work)
    }

    // MARK: The way to a server

    /// The await before or behind an effect: other processes go on meanwhile, and this one may die.
    func travel(_ server: Server) async throws {
        try await pass(
            conditions.dice.happens(0.5) ? nil : conditions.dice.time(around: server.latency(conditions.plan)))
    }

    /// - Parameter span: nil where nothing is waited for.
    func pass(_ span: VirtualTime?) async throws {
        guard isAlive else { throw Died() }
        if let span { try await conditions.scheduler.sleep(span) }
        guard isAlive else { throw Died() }
    }

    /// A round trip with one effect. The connection may be lost on the way there, and on the way back, when nobody knows
    /// whether the effect took place.
    func exchange<Value>(
        _ server: Server, _ what: String, lost: Fault, unconfirmed: Fault, _ effect: () throws -> Value
    ) async throws -> Value {
        try await reach(server, what, lost)
        let value = try effect()
        try await comeBack(from: server, what, unconfirmed)
        return value
    }

    func reach(_ server: Server, _ what: String, _ lost: Fault) async throws {
        try await travel(server)
        try checkReach(server)
        guard conditions.strikes(lost, name) else { return }
        throw PortFault(
            .transient, place: server.rawValue, message: "\(what): the connection was lost before the effect")
    }

    func comeBack(from server: Server, _ what: String, _ unconfirmed: Fault) async throws {
        try await travel(server)
        guard conditions.strikes(unconfirmed, name) else { return }
        throw PortFault(
            .transient, place: server.rawValue, message: "\(what): the connection was lost after the effect")
    }

    private func checkReach(_ server: Server) throws {
        switch server {
        case .queue where conditions.lasts(.queueDown):
            throw PortFault(.transient, place: server.rawValue, message: "out of reach")
        case .store where conditions.lasts(.storeDown):
            throw PortFault(.transient, place: server.rawValue, message: "out of reach")
        case .store where conditions.lasts(.storeUnusable):
            throw PortFault(.unusable, place: server.rawValue, message: "read-only: mend it")
        default: break
        }
    }
}

// MARK: Time

/// The wall clock of a box. It may be wrong, and it may jump; spans are measured by another one.
final class BoxClock: Sendable {
    private let offset = Mutex(0.0)

    func jump(by seconds: Double) { offset.withLock { $0 += seconds } }

    func date(_ now: VirtualTime) -> Date {
        Date(timeIntervalSince1970: 1_790_000_000 + now.seconds + offset.withLock { $0 })
    }
}

extension SimulatedProcess: Timekeeper {
    func now() -> Date { clock.date(conditions.scheduler.now) }

    func sleep(_ duration: Duration) async throws { try await pass(VirtualTime(duration)) }
}
