import Harmony
import Logging
import Model
import Synchronization

/// What detectors sent and fusing left out, of one batch of images.
final class DroppedPredictions: Sendable {
    private let faults = Mutex<[ImageID: [PredictionFault: Int]]>([:])

    /// The last reading of an image counts: a transaction that is tried again reads it again.
    func note(_ image: ImageID, _ found: [PredictionFault: Int]) {
        faults.withLock { $0[image] = found.isEmpty ? nil : found }
    }

    /// A line for each service: `5 predictions of yolov8 in 2 images do not count: 3 no label, 2 a box without area`.
    func tell(_ log: Logger) {
        let faults = faults.withLock { $0 }
        var sums: [String: (images: Int, reasons: [String: Int])] = [:]
        for image in faults.values {
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
