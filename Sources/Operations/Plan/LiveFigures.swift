import Foundation
import Model
import Pipeline

/// The figures of a plan as the farm's own tables and queues have them now: what status shows.
struct LiveFigures {
    /// Fewer results than this say too little.
    static let leastResults = 30.0
    /// Fewer minutes than this, in which there was enough to do, say too little.
    static let leastMinutes = 3
    /// Older minutes may be of other workers.
    private static let mostMinutes = 20

    let status: QueueStatus
    let store: StoreStatus
    /// The services that `farm produce` submits for.
    let produced: Set<String>
    /// Whether queue and store are the embedded file.
    let isEmbedded: Bool

    var figures: PlanFigures {
        let lines = status.lines.filter { $0.service != Callback.service }
        let images = lines.filter { PostProcessing(rawValue: $0.service) == nil }.map(LiveFigures.done).max() ?? 0
        let stages = lines.compactMap { stage($0, images) }
        var figures = PlanFigures(stages: stages, remarks: remarks(stages, images))
        (figures.broker, figures.database) = ceilings
        return figures
    }

    // MARK: Stages

    private func stage(_ line: QueueStatus.Line, _ images: Double) -> PlanFigures.Stage? {
        let role = PostProcessing(rawValue: line.service)
        let workers = line.workers ?? []
        let results = store.services.first { $0.service == line.service }
        guard role != nil || produced.contains(line.service) || line.depth.waiting > 0 || LiveFigures.done(line) > 0
        else { return nil }
        var stage = PlanFigures.Stage(
            service: line.service, jobsPerImage: role == nil ? 1 : 0, waiting: line.depth.waiting,
            workers: workers.count, boxes: Set(workers.map(\.host)).count, pace: nil, limit: line.control.rateLimit)
        stage.concurrency = role == nil ? LiveFigures.concurrency(workers) : nil
        stage.derivedPerImage =
            role == nil ? Measure(line.service == "colors" ? boxesPerImage : 0) : derived(line, images)
        if line.depth.waiting > 0 || line.control.isPaused {
            stage.halt = line.control.pauseText ?? line.state(refusal: store.refusal).why
        }
        measure(&stage, line, results)
        return stage
    }

    private func measure(_ stage: inout PlanFigures.Stage, _ line: QueueStatus.Line, _ report: ServiceReport?) {
        let rates = busyRates(line)
        let workers = Double(max(1, stage.workers))
        if rates.count >= LiveFigures.leastMinutes {
            let one = LiveFigures.measure(rates.map { $0 / workers })
            if one.mean > 0 {
                stage.pace = Pace(perSecond: one)
                stage.origin = "\(rates.count) minutes in which jobs waited"
                return
            }
        }
        let done = LiveFigures.done(line)
        let answers = report.flatMap { LiveFigures.seconds($0, count: done) }
        if let rate = presentRate(line) {
            // How much it varies is known from the answers; without them, as much as what comes by chance.
            stage.pace = Pace(
                perSecond: rate / workers, dispersion: answers?.relativeVariance ?? 1, count: rate * 60)
            stage.origin = "its workers' last minute"
            return
        }
        if let seconds = answers, let concurrency = stage.concurrency {
            stage.pace = Pace(seconds: seconds, concurrency: concurrency)
            stage.origin = "the times of \(Int(done)) answers"
            return
        }
        // It has kept up so far; nobody knows how much faster it could be.
        let minutes = line.minutes.filter { $0.age >= 60 && $0.done > 0 }.prefix(LiveFigures.mostMinutes)
        // A minute that began before the work did says less than the workers' own rate.
        let best = (minutes.map { Double($0.done) / 60 } + [LiveFigures.rate(line)]).max() ?? 0
        guard done >= LiveFigures.leastResults, best > 0 else { return }
        stage.pace = Pace(perSecond: best / workers, count: done, isAtLeast: true)
        stage.origin = "it has kept up so far"
    }

    /// Calls per second of all workers together, in each minute at whose beginning and end jobs waited.
    private func busyRates(_ line: QueueStatus.Line) -> [Double] {
        func isWaited(_ age: Double) -> Bool {
            line.samples.contains { $0.age > age - 60 && $0.age <= age && $0.waiting > 0 }
        }
        let busy = line.minutes.filter { $0.age >= 60 && $0.done > 0 && isWaited($0.age) && isWaited($0.age + 60) }
        return busy.prefix(LiveFigures.mostMinutes).map { minute in
            (Double(minute.done) + crops(of: line.service, in: minute.age)) / 60
        }
    }

    /// Calls per second of all workers together in their last minute or two. nil unless jobs have waited all the while.
    private func presentRate(_ line: QueueStatus.Line) -> Double? {
        let recent = line.samples.filter { $0.age <= 130 }
        guard line.depth.waiting > 0, recent.count >= 2, recent.allSatisfy({ $0.waiting > 0 }) else { return nil }
        let rate = LiveFigures.rate(line)
        guard rate > 0 else { return nil }
        let enricher = status.lines.first { $0.service == PostProcessing.enricher.rawValue }
        return line.service == "colors" ? rate + (enricher.map(LiveFigures.rate) ?? 0) * boxesPerImage : rate
    }

    /// Crops that were sent to the service in that minute, beside its jobs.
    private func crops(of service: String, in age: Double) -> Double {
        guard service == "colors",
            let enriched = status.lines.first(where: { $0.service == PostProcessing.enricher.rawValue })
        else { return 0 }
        let minute = enriched.minutes.first { abs($0.age - age) < 30 }
        return Double(minute?.done ?? 0) * boxesPerImage
    }

    // MARK: What follows from an image

    /// Every box has its crop sent to colors.
    private var boxesPerImage: Double {
        guard Double(store.totals.consensus) >= LiveFigures.leastResults else { return 0 }
        return Double(store.totals.mergedBoxes) / Double(store.totals.consensus)
    }

    private func derived(_ line: QueueStatus.Line, _ images: Double) -> Measure {
        guard images >= LiveFigures.leastResults else {
            // Without a detector there is nothing to merge and to crop.
            let isNeeded = line.service == PostProcessing.consensus.rawValue || hasDetectors
            return Measure(isNeeded ? 1 : 0)
        }
        // What waits has come of these images, too: its role may have been away.
        return Measure((LiveFigures.done(line) + Double(line.depth.waiting)) / images)
    }

    private var hasDetectors: Bool {
        status.lines.contains {
            CatalogueService.named($0.service)?.evidence == .spatial
                && (produced.contains($0.service) || $0.depth.waiting > 0 || LiveFigures.done($0) > 0)
        }
    }

    private var ceilings: (PlanFigures.Ceiling?, PlanFigures.Ceiling?) {
        let origin = "make bench on two cores, docs/performance.md; measure your own"
        let rows =
            store.totals.results + store.totals.mergedBoxes + store.totals.postprocessing + store.totals.consensus
        let isEnough = Double(store.totals.consensus) >= LiveFigures.leastResults
        let perImage = isEnough ? Double(rows) / Double(store.totals.consensus) : nil
        return isEmbedded
            ? (PlanFigures.Ceiling(perSecond: 34_100, origin: origin), nil)
            : (
                PlanFigures.Ceiling(perSecond: 19_200, origin: origin),
                PlanFigures.Ceiling(perSecond: 8_090, perImage: perImage, origin: origin)
            )
    }

    private func remarks(_ stages: [PlanFigures.Stage], _ images: Double) -> [String] {
        var remarks: [String] = []
        if images < LiveFigures.leastResults {
            remarks.append("how many merges, crops and votes an image needs: too few were done in the last hour")
        } else if boxesPerImage == 0, stages.contains(where: { $0.service == "colors" }) {
            remarks.append("how many crops an image has: too few are done yet")
        }
        if isEmbedded { remarks.append("where the embedded file gives: it depends on the disk") }
        return remarks
    }

    // MARK: Arithmetic

    /// How many jobs ended in the last hour.
    static func done(_ line: QueueStatus.Line) -> Double { Double(line.minutes.reduce(0) { $0 + $1.done }) }

    /// What the workers of a queue say that they do in a second.
    private static func rate(_ line: QueueStatus.Line) -> Double {
        (line.workers ?? []).compactMap(\.figures.rate).reduce(0, +)
    }

    private static func concurrency(_ workers: [RegisteredWorker]) -> Int? {
        let known = workers.compactMap(\.figures.concurrency)
        return known.isEmpty ? nil : max(1, known.reduce(0, +) / known.count)
    }

    /// Mean and deviation of one value of a sample.
    static func measure(_ values: [Double]) -> Measure {
        guard !values.isEmpty else { return Measure(0) }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return Measure(
            mean, deviation: (squares / Double(max(1, values.count - 1))).squareRoot(), count: Double(values.count))
    }

    /// From median and 95th percentile, as of a log-normal distribution, which times of answers are like.
    static func seconds(_ report: ServiceReport, count: Double) -> Measure? {
        guard count >= leastResults, let p50 = report.p50, let p95 = report.p95, p50 > 0, p95 >= p50 else { return nil }
        let sigma = log(p95 / p50) / 1.645
        let mean = p50 * exp(sigma * sigma / 2)
        return Measure(mean, deviation: mean * (exp(sigma * sigma) - 1).squareRoot(), count: count)
    }
}

extension PlanFigures {
    /// The figures of the farm as it is now.
    /// - Parameter isEmbedded: whether queue and store are the embedded file.
    /// - Throws: `PortFault` if queue or store cannot be read.
    package init(live status: FarmStatus, _ services: ServiceDirectory, isEmbedded: Bool) throws {
        let produced = (try? services.targets("all"))?.map(\.service) ?? []
        self =
            LiveFigures(
                status: try status.queues.get(), store: try status.results.get(), produced: Set(produced),
                isEmbedded: isEmbedded
            ).figures
    }
}
