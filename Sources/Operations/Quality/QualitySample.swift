import Harmony
import Model
import Pipeline

/// Counts what the services said of images, one image after another.
struct QualitySample {
    /// Labels that are told apart: a broken detector may name thousands.
    private static let mostLabels = 500

    private struct PairKey: Hashable {
        var first: String
        var second: String
        var label: String
    }

    private struct SightKey: Hashable {
        var detector: String
        var label: String
    }

    private struct ServiceCounts {
        var successes = 0
        var failures = 0
        var seconds: [Double] = []
        var repeated = 0
        var changed = 0
        var confidences = Array(repeating: 0, count: QualityReport.bins)
    }

    private let rules: ReadingRules
    private var images = 0
    private var comparedImages = 0
    private var labels: Set<String> = []
    private var pairs: [PairKey: QualityReport.Pair] = [:]
    private var sights: [SightKey: QualityReport.Sight] = [:]
    private var evidence: [String: QualityReport.Evidence] = [:]
    private var services: [String: ServiceCounts] = [:]

    init(_ rules: ReadingRules) { self.rules = rules }

    /// - Parameters:
    ///   - rows: of each service the newest two rows, the newest first.
    ///   - boxes: the fused boxes.
    ///   - emoji: those of the consensus.
    mutating func add(_ rows: [StoredResult], boxes: [StoredBox], emoji: Set<String>) {
        images += 1
        for (service, rows) in Dictionary(grouping: rows, by: \.service) { add(rows, of: service) }
        let answers = Dictionary(grouping: rows, by: \.service).compactMap { service, rows in
            rules.detectors.contains(service) ? rows.first { $0.status == .success } : nil
        }.map { DetectorAnswer(resultID: $0.resultID, service: $0.service, data: $0.data) }
        compare(answers)
        let shown = Set(boxes.compactMap { $0.box?.emoji })
        for name in shown.union(emoji) {
            var entry = evidence[name] ?? .init(emoji: name, both: 0, votesOnly: 0, boxesOnly: 0)
            switch (emoji.contains(name), shown.contains(name)) {
            case (true, true): entry.both += 1
            case (true, false): entry.votesOnly += 1
            default: entry.boxesOnly += 1
            }
            evidence[name] = entry
        }
    }

    private mutating func add(_ rows: [StoredResult], of service: String) {
        guard let newest = rows.first else { return }
        var counts = services[service] ?? ServiceCounts()
        if newest.status == .success {
            counts.successes += 1
            if newest.processingTime.isFinite { counts.seconds.append(newest.processingTime) }
            for confidence in confidences(in: newest.data) {
                counts.confidences[min(QualityReport.bins - 1, Int(confidence * Double(QualityReport.bins)))] += 1
            }
        } else {
            counts.failures += 1
        }
        if rows.count > 1 {
            counts.repeated += 1
            let isSame =
                rows[1].status == newest.status
                && outcome(of: rows[1].data, options: rules.merging) == outcome(of: newest.data, options: rules.merging)
            if !isSame { counts.changed += 1 }
        }
        services[service] = counts
    }

    /// Objects that somebody is sure enough of to keep where there is nobody else (`min_confidence`), and those that were fused.
    private mutating func compare(_ answers: [DetectorAnswer]) {
        let (detectors, objects) = seenObjects(answers, options: rules.merging)
        guard detectors.count > 1 else { return }
        comparedImages += 1
        for object in objects where object.isFused || object.confidence >= rules.merging.minConfidence {
            guard labels.contains(object.label) || labels.count < QualitySample.mostLabels else { continue }
            labels.insert(object.label)
            for (place, first) in detectors.enumerated() {
                note(object, of: first)
                for second in detectors.dropFirst(place + 1) { note(object, of: first, and: second) }
            }
        }
    }

    private mutating func note(_ object: SeenObject, of detector: String) {
        let key = SightKey(detector: detector, label: object.label)
        var sight = sights[key] ?? .init(detector: detector, label: object.label, seen: 0, alone: 0, missed: 0)
        if object.detectors.contains(detector) {
            sight.seen += 1
            if object.detectors.count == 1 { sight.alone += 1 }
        } else if object.isFused {
            sight.missed += 1
        }
        sights[key] = sight
    }

    private mutating func note(_ object: SeenObject, of first: String, and second: String) {
        let isSeen = (object.detectors.contains(first), object.detectors.contains(second))
        guard isSeen.0 || isSeen.1 else { return }
        let key = PairKey(first: first, second: second, label: object.label)
        var pair =
            pairs[key]
            ?? .init(first: first, second: second, label: object.label, both: 0, onlyFirst: 0, onlySecond: 0)
        switch isSeen {
        case (true, true): pair.both += 1
        case (true, false): pair.onlyFirst += 1
        default: pair.onlySecond += 1
        }
        pairs[key] = pair
    }

    // MARK: The report

    var report: QualityReport {
        QualityReport(
            images: images, comparedImages: comparedImages,
            pairs: pairs.values.sorted {
                let (left, right) = ($0.both + $0.onlyFirst + $0.onlySecond, $1.both + $1.onlyFirst + $1.onlySecond)
                return left == right ? ($0.label, $0.first, $0.second) < ($1.label, $1.first, $1.second) : left > right
            },
            sights: sights.values.sorted {
                let (left, right) = ($0.seen + $0.missed, $1.seen + $1.missed)
                return left == right ? ($0.label, $0.detector) < ($1.label, $1.detector) : left > right
            },
            evidence: evidence.values.sorted {
                let (left, right) = ($0.both + $0.votesOnly + $0.boxesOnly, $1.both + $1.votesOnly + $1.boxesOnly)
                return left == right ? $0.emoji < $1.emoji : left > right
            },
            services: services.sorted { $0.key < $1.key }.map { name, counts in
                let seconds = counts.seconds.sorted()
                return QualityReport.Service(
                    service: name, successes: counts.successes, failures: counts.failures,
                    p50: seconds.quantile(0.5), p95: seconds.quantile(0.95), repeated: counts.repeated,
                    changed: counts.changed, confidences: counts.confidences)
            })
    }
}

extension [Double] {
    /// A quantile of sorted values, by linear interpolation between the two nearest (Hyndman and Fan's definition 7). nil if there are none.
    fileprivate func quantile(_ fraction: Double) -> Double? {
        guard let last else { return nil }
        let place = fraction * Double(count - 1)
        let index = Int(place)
        guard index + 1 < count else { return last }
        return self[index] + (self[index + 1] - self[index]) * (place - Double(index))
    }
}
