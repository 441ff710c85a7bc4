import Foundation
import Logging
import Pipeline
import Waiting

/// A role that the supervisor runs.
public struct SupervisedRole: Sendable {
    /// `worker blip`, `bbox_merger`: unique, and the role's name in the log.
    public var name: String
    /// What the role was made from. If its settings change, this changes.
    public var fingerprint: String
    /// The role's identity in the log.
    public var identity: RoleIdentity?
    /// Runs until the drain. If it throws, the role has failed.
    public var run: @Sendable (Drain) async throws -> Void

    package init(
        name: String, fingerprint: String, identity: RoleIdentity? = nil,
        run: @escaping @Sendable (Drain) async throws -> Void
    ) {
        self.name = name
        self.fingerprint = fingerprint
        self.identity = identity
        self.run = run
    }
}

/// Runs roles side by side. If one fails, it is restarted with exponential back-off, and the others go on.
public struct Supervisor: Sendable {
    private enum Event: Sendable {
        case drain
        case wanted([SupervisedRole])
        case ended(String)
    }

    /// After a role has run for this long, its next failure starts the back-off anew.
    private static let soundAfter: TimeInterval = 60

    let time: any Timekeeper
    let randomness: Randomness
    let log: Logger

    package init(time: any Timekeeper, randomness: @escaping Randomness = systemRandomness, log: Logger) {
        self.time = time
        self.randomness = randomness
        self.log = log
    }

    /// Runs until the drain has begun and every role has ended.
    /// - Parameter changes: each element is the set of roles from then on. New roles begin; roles that are gone or have
    ///   changed are drained.
    public func run(_ roles: [SupervisedRole], changes: AsyncStream<[SupervisedRole]>? = nil, drain: Drain) async {
        let events = Mailbox<Event>()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await drain.wait()
                events.append([.drain])
            }
            if let changes {
                group.addTask { for await roles in changes { events.append([.wanted(roles)]) } }
            }
            events.append([.wanted(roles)])

            var wanted: [String: SupervisedRole] = [:]
            var running: [String: (fingerprint: String, drain: Drain)] = [:]
            var isDraining = false
            while !(isDraining && running.isEmpty) {
                for event in await events.takeAll() {
                    switch event {
                    case .drain:
                        isDraining = true
                        for role in running.values { role.drain.begin() }
                    case .wanted(let roles):
                        wanted = Dictionary(roles.map { ($0.name, $0) }) { first, _ in first }
                        for (name, role) in running where wanted[name]?.fingerprint != role.fingerprint {
                            let why = wanted[name] == nil ? "no longer named here, ends" : "settings changed, restarts"
                            log.notice("\(name): \(why)")
                            role.drain.begin()
                        }
                    case .ended(let name): running[name] = nil
                    }
                }
                guard !isDraining else { continue }
                for role in wanted.values where running[role.name] == nil {
                    let own = Drain()
                    running[role.name] = (role.fingerprint, own)
                    group.addTask {
                        await keepUp(role, own)
                        events.append([.ended(role.name)])
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// Runs one role until its drain, and starts it again whenever it fails.
    private func keepUp(_ role: SupervisedRole, _ drain: Drain) async {
        var backOff = BackOff(base: .seconds(1), limit: .seconds(60), randomness: randomness)
        while !drain.isBegun {
            let start = time.now()
            let reason: String
            do {
                try await role.run(drain)
                reason = "ended by itself"
            } catch {
                reason = "failed: \(error)"
            }
            if drain.isBegun {
                if reason != "ended by itself" { log.error("\(role.name) \(reason)", metadata: role.identity?.labels) }
                return
            }
            if time.now().timeIntervalSince(start) > Supervisor.soundAfter { backOff.reset() }
            let wait = backOff.next()
            log.error(
                "\(role.name) \(reason); restarts in \(String(format: "%.1f", wait.seconds)) s",
                metadata: role.identity?.labels)
            _ = try? await drain.until { try await time.sleep(wait) }
        }
    }
}
