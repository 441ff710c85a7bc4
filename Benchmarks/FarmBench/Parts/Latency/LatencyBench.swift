import Embedded
import Foundation
import Model
import Pipeline
import Waiting

/// How soon an image's consensus follows its last answer while there is little to do: one image at a time.
enum LatencyBench {
    private static let images = Scale.of(100, quick: 20)
    private static let others = Workplace.services.filter { !Workplace.detectors.contains($0) && $0 != "blip" }

    static func run() async throws -> [Figure] {
        let workplace = try Workplace(pictures: images, size: (1152, 864))
        try workplace.farm("import", "photos")
        let up = try workplace.start(["up"])
        let file = try EmbeddedFile(workplace.path("farm.db"))
        try file.wait("SELECT count(*) FROM worker_heartbeats") { $0 >= 14 }
        let database = try await EmbeddedDatabase(
            path: workplace.path("farm.db"), time: SystemTime(), log: Jobs.silence)
        let queue = EmbeddedQueue(database)
        var (detector, other): ([Double], [Double]) = ([], [])
        // By turns, so that either is the last of its image's answers: farm learns what is usual.
        for row in try file.rows("SELECT image_id, image_path FROM images ORDER BY image_id") {
            let image = Image(id: row["image_id"], path: row["image_path"])
            let (first, last) = image.id % 2 == 0 ? ("blip", "yolov8") : ("yolov8", "blip")
            try await queue.publish((others + [first]).map { Jobs.message(image, $0, Date()) })
            try file.wait(
                """
                SELECT count(*) FROM consensus WHERE image_id = \(image.id)
                AND json_array_length(consensus_data, '$.services_list') = \(others.count + 1)
                AND NOT EXISTS (SELECT 1 FROM farm_queue)
                """
            ) { $0 == 1 }
            let seconds = try await self.last(last, of: image, queue, file)
            if last == "yolov8" { detector.append(seconds) } else { other.append(seconds) }
        }
        await database.close()
        try up.terminate()
        return [
            Figure("from another's last answer to its consensus, p50", other.median * 1000, "ms", goal: .atMost(20)),
            Figure("p95", other.quantile(0.95) * 1000, "ms"),
            Figure("from a detector's (three hops), p50", detector.median * 1000, "ms", goal: .atMost(60)),
            Figure("p95", detector.quantile(0.95) * 1000, "ms"),
        ]
    }

    /// Submits the one job that an image still lacks.
    /// - Returns: seconds from the service's answer to the consensus that counts it, as another program sees it.
    private static func last(
        _ service: String, of image: Image, _ queue: EmbeddedQueue, _ file: EmbeddedFile
    ) async throws -> Double {
        let consensus = "SELECT max(consensus_id) FROM consensus WHERE image_id = \(image.id)"
        let before = try file.number(consensus)
        try await queue.publish([Jobs.message(image, service, Date())])
        try file.wait(consensus) { $0 > before }
        let seen = Date().timeIntervalSince1970
        let answered = try file.number(
            "SELECT data ->> '$.metadata.answered_at' FROM results WHERE image_id = \(image.id) AND service = '\(service)'"
        )
        let counted = try file.number(
            """
            SELECT count(*) FROM consensus, json_each(consensus_data, '$.services_list')
            WHERE image_id = \(image.id) AND value = '\(service)'
            """)
        guard counted == 1 else { throw BenchFault("image \(image.id): a consensus without \(service)") }
        return seen - answered
    }
}
