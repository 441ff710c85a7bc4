import Foundation
import Model
import Pipeline
import Synchronization

/// One run of one seed, from an empty farm to its end, with what the invariants say of it.
package struct Run: Sendable {
    /// How it went.
    package struct Report: Sendable {
        package var seed: UInt64
        package var violations: [Violation]
        package var tally: Tally<Int>
        package var steps: Int
        package var jobs: Int
        /// From the end of the faults until all was done.
        package var recovery: VirtualTime
        /// Of all choices: the same for the same seed.
        package var digest: UInt64
    }

    private let plan: Plan
    private let conditions: Conditions
    private let farm: Farm

    package init(seed: UInt64, plant: Plant?, tracing: Bool = false) {
        let dice = Dice(seed: seed)
        plan = Plan(seed: seed, plant: plant, dice: dice)
        conditions = Conditions(plan: plan, dice: dice, tracing: tracing)
        let album = Album(plan: plan, dice: dice)
        var tables = Database.Tables()
        for picture in album.pictures { tables.images[picture.image.id] = picture.image }
        farm = Farm(
            conditions, album: album, broker: Broker(conditions),
            database: Database(conditions, album: album, tables: tables))
        let farm = farm
        conditions.scheduler.onDeath { number in farm.processes.first { $0.number == number }.map(farm.kill) }
    }

    package func report() -> Report {
        let scheduler = conditions.scheduler
        conditions.trace.say("plan", "\(plan)")
        let director = SimulatedProcess(
            number: 255, box: 0, name: "director", conditions: conditions, clock: BoxClock())
        let story = Story(farm: farm, director: director)
        director.start { await story.tell() }
        let ending = scheduler.run { director.isOver }
        defer { scheduler.clear() }
        var violations = story.violations
        switch ending {
        case .over: break
        case .stuck: violations.append(Violation("nothing in flight", "no task can run, none sleeps"))
        case .endless: violations.append(Violation("nothing in flight", "no end after \(scheduler.steps) steps"))
        }
        return Report(
            seed: plan.seed, violations: violations, tally: conditions.tally, steps: scheduler.steps,
            jobs: story.jobs, recovery: story.recovery, digest: scheduler.digest)
    }
}

/// What happens in a run: the farm starts, jobs are submitted, faults come and end, all is done, all is drained, and the
/// invariants are checked.
private final class Story: Sendable {
    private struct State {
        var violations: [Violation] = []
        var jobs = 0
        var recovery = VirtualTime.seconds(0)
    }

    private let farm: Farm
    private let director: SimulatedProcess
    private let state = Mutex(State())

    /// A role may be waiting out its back-off then, a service's pause, or a lease.
    private static let recoveryLimit = VirtualTime.seconds(1800)
    /// Longer than anything that the roles do on their own from time to time.
    private static let afterglow = VirtualTime.seconds(65)

    init(farm: Farm, director: SimulatedProcess) {
        self.farm = farm
        self.director = director
    }

    var violations: [Violation] { state.withLock { $0.violations } }
    var jobs: Int { state.withLock { $0.jobs } }
    var recovery: VirtualTime { state.withLock { $0.recovery } }

    private var scheduler: Scheduler { farm.conditions.scheduler }

    private func add(_ violations: [Violation]) { state.withLock { $0.violations += violations } }

    func tell() async {
        do { try await act() } catch { add([Violation("the run itself", "\(error)")]) }
    }

    private func act() async throws {
        for picture in farm.album.pictures where picture.isMissing {
            farm.conditions.note(.pictureMissing, picture.image.filename ?? "")
        }
        for box in farm.conditions.plan.boxes.indices { farm.start(box) }
        let production = Production(farm, delay: farm.conditions.plan.producerDelay)
        production.start()
        try await Nemesis(farm: farm).run { production.isOver && self.isQuiet }
        farm.conditions.calm()
        director.say("the faults have ended")
        var productions = [production]
        if farm.conditions.plan.hasEncore {
            guard try await quiet(production, for: .seconds(0)) else { return }
            productions.append(Production(farm, images: [1]))
            productions[1].start()
        }
        guard try await quiet(productions[productions.count - 1], for: Story.afterglow) else { return }
        try await close()
        let confirmed = productions.flatMap(\.confirmed)
        state.withLock { $0.jobs = confirmed.count }
        add(try await Invariants(farm: farm, confirmed: confirmed, director: director).violations())
    }

    private var isQuiet: Bool {
        farm.broker.isQuiet && farm.database.tables.missing.values.allSatisfy(\.isEmpty)
    }

    /// Waits until all is done and stays so for a while.
    private func quiet(_ production: Production, for span: VirtualTime) async throws -> Bool {
        let begin = scheduler.now
        var since: VirtualTime?
        while scheduler.now - begin < Story.recoveryLimit {
            if production.isOver && isQuiet {
                let first = since ?? scheduler.now
                since = first
                if scheduler.now - first >= span {
                    state.withLock { $0.recovery = max($0.recovery, first - begin) }
                    return true
                }
            } else {
                since = nil
            }
            try await scheduler.sleep(since == nil ? .milliseconds(200) : .seconds(10))
        }
        let missing = farm.database.tables.missing.filter { !$0.value.isEmpty }
        add([
            Violation(
                "all is done after the faults",
                "after \(Story.recoveryLimit.seconds) s: \(farm.broker.remains)"
                    + (missing.isEmpty ? "" : " missing \(missing)")
                    + (production.isOver ? "" : " producing"))
        ])
        return false
    }

    private func close() async throws {
        farm.close()
        try await scheduler.sleep(farm.conditions.plan.shutdownLimit)
        for process in farm.processes where !process.isOver {
            add([Violation("no task leaked", "\(process.name) has not ended")])
        }
    }
}
