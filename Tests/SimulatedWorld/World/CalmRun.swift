import Foundation
import Model
import Pipeline
import Synchronization

/// A farm without faults whose services take a given time: how long it needs, in simulated time. A plan is compared with it.
package struct CalmRun: Sendable {
    /// What happened.
    package struct Report: Sendable {
        /// From the first job to the last consensus.
        package var seconds: Double
        /// How many boxes the merger has made.
        package var boxes: Int
        /// How many images have their consensus.
        package var images: Int
    }

    private let conditions: Conditions
    private let farm: Farm

    /// - Parameters:
    ///   - services: whole-image services, the detectors first, with the mean time of a call in milliseconds. Times vary as
    ///     those of all simulated calls.
    ///   - crops: crop services with theirs.
    ///   - things: how many things each picture shows.
    ///   - boxes: on how many machines each service has a worker.
    package init(
        seed: UInt64, images: Int, detectors: [String: Int], others: [String: Int], crops: [String: Int] = [:],
        things: Int, concurrency: Int, boxes: Int = 1
    ) {
        let dice = Dice(seed: seed)
        var plan = Plan(seed: seed, plant: nil, dice: dice)
        (plan.rates, plan.incidents, plan.window, plan.hasEncore) = (Tally(), [], nil, false)
        (plan.images, plan.things, plan.concurrency) = (images, things, concurrency)
        (plan.detectors, plan.others) = (detectors.keys.sorted(), others.keys.sorted())
        // Enough images in the enricher's hands that no call waits for the slowest crop of another image.
        (plan.prefetch, plan.triggerPrefetch, plan.producerDelay) = (4 * concurrency, 16, .seconds(0))
        (plan.queueLatency, plan.storeLatency, plan.timeout) = (.milliseconds(1), .milliseconds(1), .seconds(60))
        let spans = detectors.merging(others) { first, _ in first }.merging(crops) { first, _ in first }
        plan.calls = spans.mapValues { .milliseconds($0) }
        plan.boxes = (0..<boxes).map { box in
            Plan.Box(workers: plan.primaries, roles: box == 0 ? PostProcessing.allCases : [])
        }
        conditions = Conditions(plan: plan, dice: dice, tracing: false)
        let album = Album(plan: plan, dice: dice)
        var tables = Database.Tables()
        for picture in album.pictures { tables.images[picture.image.id] = picture.image }
        farm = Farm(
            conditions, album: album, broker: Broker(conditions),
            database: Database(conditions, album: album, tables: tables))
    }

    /// Runs it on this thread. nil if it does not come to its end.
    package func report() -> Report? {
        let scheduler = conditions.scheduler
        let director = SimulatedProcess(
            number: 255, box: 0, name: "director", conditions: conditions, clock: BoxClock())
        let end = Mutex<VirtualTime?>(nil)
        let (farm, plan) = (farm, conditions.plan)
        director.start {
            let production = Production(farm)
            production.start()
            for box in plan.boxes.indices { farm.start(box) }
            repeat {
                try? await scheduler.sleep(.milliseconds(50))
            } while !production.isOver || !farm.broker.isQuiet || farm.database.tables.consensus.count < plan.images
            end.withLock { $0 = scheduler.now }
            farm.close()
            try? await scheduler.sleep(plan.shutdownLimit)
        }
        let ending = scheduler.run { director.isOver }
        defer { scheduler.clear() }
        guard ending == .over, let end = end.withLock({ $0 }) else { return nil }
        let tables = farm.database.tables
        return Report(
            seconds: end.seconds, boxes: tables.boxes.values.reduce(0) { $0 + $1.count }, images: tables.consensus.count
        )
    }
}
