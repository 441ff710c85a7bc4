import Model

/// What a seed picks before the run: how large the farm is, how its queue behaves, which faults happen and how often.
/// Each seed leaves out some kinds of faults, since those that always happen hide what happens without them
/// (Groce et al., "Swarm Testing", 2012).
struct Plan: Sendable {
    /// What one simulated box runs.
    struct Box: Sendable {
        var workers: [String]
        var roles: [PostProcessing]
    }

    let seed: UInt64
    let plant: Plant?
    var images: Int
    var detectors: [String]
    /// Whole-image services that are no detectors.
    var others: [String]
    var boxes: [Box]
    var order: Order
    /// nil: workers find it by their pace.
    var prefetch: Int?
    var triggerPrefetch: Int
    var concurrency: Int
    var maxTries: Int
    var timeout: VirtualTime
    var retryDelay: VirtualTime
    var shutdownLimit: VirtualTime
    var heartbeat: VirtualTime
    var producerDelay: VirtualTime
    /// How many jobs of a service may wait; nil: all.
    var window: Int?

    /// Queue: as a broker that pushes up to the prefetch and buries in two steps, or as a table that is asked.
    var queuePushes: Bool
    /// Of a dead process's deliveries, or of a lost connection's.
    var leaseDelay: VirtualTime

    // Typical spans.
    var queueLatency: VirtualTime
    var storeLatency: VirtualTime
    var serviceLatency: VirtualTime
    /// Of some services, instead of `serviceLatency`.
    var calls: [String: VirtualTime] = [:]
    /// How many things a picture shows. nil: some.
    var things: Int?

    /// By fault: of operations, the part that it strikes.
    var rates: Tally<Double>
    /// Faults that come by themselves, and how far apart they are.
    var incidents: [Fault]
    var incidentGap: VirtualTime
    var incidentSpan: VirtualTime
    /// When all faults end.
    var faultsEnd: VirtualTime
    var maxDeaths: Int
    /// Whether jobs are submitted once more at the end, to see that nobody is alive and silent.
    var hasEncore: Bool

    var primaries: [String] { detectors + others }
    /// All services that get calls.
    var called: [String] { primaries + Enrichment.services }

    init(seed: UInt64, plant: Plant?, dice: Dice) {
        self.seed = seed
        self.plant = plant
        // Most of what can go wrong with many can go wrong with two.
        images = dice.pick([1, 1, 1, 2, 2, 2, 2, 3, 4, 5])
        let catalogue = CatalogueService.all.filter { $0.category == .primary }.map(\.name)
        let spatial = catalogue.filter { CatalogueService.named($0)?.evidence == .spatial }
        detectors = Array(dice.shuffled(spatial).prefix(dice.pick([1, 1, 2, 2, 3])))
        others = Array(dice.shuffled(["blip", "clip", "ocr", "nsfw2"]).prefix(dice.pick([0, 1, 1, 2])))
        order = dice.pick(Order.allCases)
        prefetch = dice.pick([1, nil, 4, 16])
        triggerPrefetch = dice.pick([1, 4, 64])
        concurrency = dice.pick([1, 2, 4])
        maxTries = dice.whole(1...3)
        timeout = .seconds(dice.pick([2, 5, 30]))
        retryDelay = .milliseconds(dice.pick([100, 1000, 5000]))
        shutdownLimit = .seconds(10)
        heartbeat = .seconds(dice.pick([20, 60, 60]))
        producerDelay = dice.pick([.seconds(0), .milliseconds(50), .milliseconds(500)])
        queuePushes = dice.happens(0.5)
        leaseDelay = dice.pick([.milliseconds(10), .seconds(3), .seconds(30)])
        queueLatency = .milliseconds(dice.pick([2, 10, 50]))
        storeLatency = .milliseconds(dice.pick([2, 20, 100]))
        serviceLatency = .milliseconds(dice.pick([50, 300, 2000]))
        incidentGap = .milliseconds(dice.pick([200, 1000, 3000]))
        incidentSpan = .milliseconds(dice.pick([500, 5000, 60_000]))
        faultsEnd = .milliseconds(dice.pick([2000, 5000, 15_000]))
        hasEncore = dice.happens(0.4)
        if dice.happens(0.05) {
            // Longer than the patience of a stage, so that roles end and begin anew.
            incidentSpan = .seconds(400)
            incidentGap = .seconds(60)
            faultsEnd = .seconds(900)
        }
        maxDeaths = dice.whole(1...5)
        (rates, incidents) = Plan.faults(dice)
        boxes = Plan.boxes(detectors + others, dice)
        // From dice of its own.
        window = Dice(seed: mixed(seed, 34)).pick([nil, nil, 1, 2, 3, 10])
    }

    private static let struck: [Fault] = [
        .takingFailed, .publishLost, .confirmLost, .publishedTwice, .acknowledgeLost, .acknowledgeUnconfirmed,
        .reordered, .storeLost, .commitUnconfirmed, .slowCommit, .heartbeatLost, .serverError, .timeout, .cutOff,
        .garbage, .tooManyRequests, .longPause, .slowAnswer, .pictureStumbles,
    ]
    /// Of pictures.
    private static let inborn: [Fault] = [.finalAnswer, .pictureMissing, .valueRefused, .killerPicture]
    private static let incidental: [Fault] = [
        .processDied, .processDrained, .clockJumped, .connectionLost, .leaseLost, .queueDown, .queueBlocked, .storeDown,
        .storeUnusable, .rowsRefused, .serviceDown, .serviceHangs, .serviceFails, .serviceErrs, .picturesAway,
        .notAMessage, .unknownImage, .servicePaused, .serviceLimited,
    ]

    private static func faults(_ dice: Dice) -> (rates: Tally<Double>, incidents: [Fault]) {
        var rates = Tally<Double>()
        guard !dice.happens(0.05) else { return (rates, []) }
        for fault in struck where dice.happens(0.4) { rates[fault] = dice.pick([0.01, 0.05, 0.2]) }
        for fault in inborn where dice.happens(0.15) { rates[fault] = 0.15 }
        return (rates, incidental.filter { _ in dice.happens(0.4) })
    }

    /// Every role on one box at least, many on two.
    private static func boxes(_ services: [String], _ dice: Dice) -> [Box] {
        var boxes = (0..<dice.whole(1...3)).map { _ in Box(workers: [], roles: []) }
        func places() -> Set<Int> { [dice.below(boxes.count), dice.below(boxes.count)] }
        for service in services { for place in places().sorted() { boxes[place].workers.append(service) } }
        for role in PostProcessing.allCases { for place in places().sorted() { boxes[place].roles.append(role) } }
        return boxes.filter { !$0.workers.isEmpty || !$0.roles.isEmpty }
    }
}

/// A bug that is planted, to see that it is caught.
package enum Plant: String, CaseIterable, Sendable {
    /// The queue forgets a message as soon as it is delivered.
    case acknowledgeBeforeCommit = "acknowledge-before-commit"
    /// A publish returns before the messages are safe.
    case publishWithoutConfirm = "publish-without-confirm"
    /// Merges and votes of one image read and write in between each other.
    case noImageLock = "no-image-lock"
    /// The store takes a second row of a job.
    case noIdempotency = "no-idempotency"
    /// A store that refuses every row says that it would take one.
    case blindProbe = "blind-probe"
    /// A producer that is run again does not know what it has submitted.
    case forgetfulWindow = "forgetful-window"
    /// Nobody hears of pauses.
    case deafToPauses = "deaf-to-pauses"
}
