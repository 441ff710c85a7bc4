import Foundation
import Model
import Pipeline

/// Brings the faults that come by themselves, until they end.
struct Nemesis: Sendable {
    let farm: Farm

    private var conditions: Conditions { farm.conditions }
    private var plan: Plan { conditions.plan }
    private var dice: Dice { conditions.dice }

    /// Runs until the plan's end of all faults, or until nothing is left to be disturbed.
    /// - Throws: `CancellationError`.
    func run(until isOver: () -> Bool) async throws {
        if let process = farm.living.randomElement(using: dice) { conditions.scheduler.starve(process.number) }
        while conditions.scheduler.now < plan.faultsEnd, !isOver() {
            try await conditions.scheduler.sleep(dice.time(around: plan.incidentGap))
            guard !plan.incidents.isEmpty else { continue }
            bring(dice.pick(plan.incidents))
        }
    }

    private func bring(_ fault: Fault) {
        let span = dice.time(around: plan.incidentSpan)
        switch fault {
        case .queueDown:
            conditions.begin(fault, for: span)
            for process in farm.living { farm.broker.lose(process: process.number) }
        case .queueBlocked, .storeDown, .storeUnusable, .rowsRefused: conditions.begin(fault, for: span)
        case .serviceDown, .serviceHangs, .serviceFails, .serviceErrs:
            conditions.begin(fault, of: dice.pick(plan.primaries + Enrichment.services), for: span)
        case .picturesAway: conditions.begin(fault, of: dice.pick([Pictures.folder, Pictures.host]), for: span)
        case .clockJumped:
            let box = dice.below(farm.clocks.count)
            conditions.note(fault, "box\(box)")
            farm.clocks[box].jump(by: (dice.unit() - 0.5) * dice.pick([2, 60, 7200]))
        case .servicePaused: pause(for: span)
        case .serviceLimited: limit(for: span)
        case .notAMessage:
            let queue = dice.pick(queues)
            conditions.note(fault, queue)
            farm.broker.put([Message(queue: queue, body: Array(dice.pick(["", "{", "[]", "{}"]).utf8))], by: queue)
        case .unknownImage:
            let queue = dice.pick(queues)
            conditions.note(fault, queue)
            farm.broker.put([Message(queue: queue, body: Array(#"{"image_id": 99}"#.utf8))], by: queue)
        default: strike(fault)
        }
    }

    private var queues: [String] { plan.primaries.map { "queue_\($0)" } + PostProcessing.allCases.map(\.queue) }

    private var names: [String] {
        plan.primaries + Enrichment.services + PostProcessing.allCases.map(\.rawValue)
    }

    /// An operator pauses something; it ends by itself, or somebody ends it.
    private func pause(for span: VirtualTime) {
        let name = dice.pick(names)
        conditions.note(.servicePaused, name)
        let end = farm.database.now.addingTimeInterval(span.seconds)
        let endsByItself = dice.happens(0.5)
        set(name) { ($0.isPaused, $0.until) = (true, endsByItself ? end : nil) }
        if !endsByItself {
            conditions.scheduler.after(span) { set(name) { $0.isPaused = false } }
        }
    }

    private func limit(for span: VirtualTime) {
        let name = dice.pick(names)
        conditions.note(.serviceLimited, name)
        let (rate, concurrency) = (dice.pick([0.2, 2, 50]), dice.pick([nil, 1, 3]))
        set(name) { ($0.rateLimit, $0.concurrency) = (rate, concurrency) }
        conditions.scheduler.after(span) { set(name) { ($0.rateLimit, $0.concurrency) = (nil, nil) } }
    }

    private func set(_ name: String, _ change: (inout ServiceControl) -> Void) {
        farm.database.write { tables in
            var control = tables.controls[name] ?? ServiceControl(service: name)
            change(&control)
            control.revision += 1
            tables.controls[name] = control
        }
    }

    /// What befalls one process.
    private func strike(_ fault: Fault) {
        guard let process = farm.living.randomElement(using: dice) else { return }
        switch fault {
        case .processDied:
            guard farm.deaths < plan.maxDeaths else { return }
            // In the middle of whatever is going on a few steps later.
            if dice.happens(0.5) { conditions.scheduler.killAfter(steps: dice.below(40)) } else { farm.kill(process) }
        case .processDrained:
            conditions.note(fault, process.name)
            farm.drain(process)
        case .connectionLost, .leaseLost:
            conditions.note(fault, process.name)
            farm.broker.lose(process: process.number)
        default: break
        }
    }
}

extension RandomAccessCollection {
    fileprivate func randomElement(using dice: Dice) -> Element? {
        isEmpty ? nil : self[index(startIndex, offsetBy: dice.below(count))]
    }
}
