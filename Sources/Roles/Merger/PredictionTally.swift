import Harmony
import Logging
import Model
import Pipeline
import Synchronization

/// Counts what happened to the predictions of detectors, in one batch of images.
final class PredictionTally: Sendable {
    private struct Entry: Sendable {
        var faults: [PredictionFault: Int]
        var counted: [String: Int]
        var fused: [String: Int] = [:]
        var lone: [String: Int] = [:]

        init(_ fusion: Fusion) {
            (faults, counted) = (fusion.faults, fusion.counted)
            for box in fusion.boxes {
                if box.detections.count > 1 {
                    for detection in box.detections { fused[detection.service, default: 0] += 1 }
                } else if let detection = box.detections.first {
                    lone[detection.service, default: 0] += 1
                }
            }
        }
    }

    private let entries = Mutex<[ImageID: Entry]>([:])

    /// Notes the result for an image. The last one counts: a transaction that is tried again reads the image again.
    func note(_ image: ImageID, _ fusion: Fusion) {
        let entry = Entry(fusion)
        entries.withLock { $0[image] = entry }
    }

    /// The counts, for the merger's event.
    var counts: [PredictionCount] {
        let entries = entries.withLock { Array($0.values) }
        var (counted, fused, lone, faults) = (
            [String: Int](), [String: Int](), [String: Int](), [PredictionFault: Int]()
        )
        for entry in entries {
            counted.merge(entry.counted, uniquingKeysWith: +)
            fused.merge(entry.fused, uniquingKeysWith: +)
            lone.merge(entry.lone, uniquingKeysWith: +)
            faults.merge(entry.faults, uniquingKeysWith: +)
        }
        var counts = faults.map { fault, count in
            PredictionCount(service: fault.service, fate: .invalid(reason: fault.reason), count: count)
        }
        for (service, all) in counted {
            let (inFused, alone) = (fused[service, default: 0], lone[service, default: 0])
            counts.append(PredictionCount(service: service, fate: .fused, count: inFused))
            counts.append(PredictionCount(service: service, fate: .lone, count: alone))
            counts.append(PredictionCount(service: service, fate: .dropped, count: max(0, all - inFused - alone)))
        }
        return counts.filter { $0.count > 0 }
    }

    /// Logs a line for each service: `5 predictions of yolov8 in 2 images do not count: 3 no label, 2 a box without
    /// area`.
    func tell(_ log: Logger) {
        let faults = entries.withLock { $0.values.map(\.faults) }
        var sums: [String: (images: Int, reasons: [String: Int])] = [:]
        for image in faults {
            for (fault, count) in image {
                sums[fault.service, default: (0, [:])].reasons[fault.reason, default: 0] += count
            }
            for service in Set(image.keys.map(\.service)) { sums[service]?.images += 1 }
        }
        for (service, sum) in sums.sorted(by: { $0.key < $1.key }) {
            let count = sum.reasons.values.reduce(0, +)
            let reasons = sum.reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            log.info(
                """
                \(count) prediction\(count == 1 ? "" : "s") of \(service) in \(sum.images) \
                image\(sum.images == 1 ? "" : "s") \(count == 1 ? "does" : "do") not count: \(reasons)
                """, metadata: ["service": "\(service)"])
        }
    }
}
