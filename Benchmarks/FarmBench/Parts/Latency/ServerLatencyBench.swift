import Foundation

/// Latency on RabbitMQ and PostgreSQL: of a job's row, and of an image's consensus while there is little to do, one image at a
/// time.
enum ServerLatencyBench {
    private static let images = Scale.of(60, quick: 6)
    private static let others = Workplace.services.filter { !Workplace.detectors.contains($0) && $0 != "blip" }

    static func run() async throws -> [Figure] {
        let timed = try await TimedPlace(images: images)
        // Eleven services and three roles.
        let up = try await timed.start(["up"], consumers: Workplace.services.count + 3)
        var (detector, other): ([Double], [Double]) = ([], [])
        // By turns, so that either is the last of its image's answers: farm learns what is usual.
        for image in 1...images {
            let (first, last) = image % 2 == 0 ? ("blip", "yolov8") : ("yolov8", "blip")
            for service in others + [first] { try await timed.publish(image, service) }
            let crops = PipelineBench.questions
            try await counted(others.count + 1, crops: first == "yolov8" ? crops : 0, image, timed)
            try await timed.publish(image, last)
            try await counted(others.count + 2, crops: crops, image, timed)
            let seconds = try await latency(of: last, image, timed)
            if last == "yolov8" { detector.append(seconds) } else { other.append(seconds) }
        }
        try up.terminate()
        await timed.remove()
        return [
            Figure("from another's last answer to its consensus, p50", other.median * 1000, "ms", goal: .atMost(20)),
            Figure("p95", other.quantile(0.95) * 1000, "ms", goal: .atMost(40)),
            Figure("from a detector's to the consensus with all crops (three hops), p50", detector.median * 1000, "ms"),
            Figure("p95", detector.quantile(0.95) * 1000, "ms"),
        ] + (try await RowLatency.run())
    }

    /// Waits until an image's consensus counts so many services, and is newer than its crops' answers.
    private static func counted(_ services: Int, crops: Int, _ image: Int, _ timed: TimedPlace) async throws {
        let site = timed.place.site
        try await wait(
            for: "image \(image): a consensus of \(services) services", within: 60,
            {
                try await site.number(
                    """
                    SELECT count(*) FROM consensus c WHERE image_id = \(image)
                    AND jsonb_array_length(consensus_data -> 'services_list') = \(services)
                    AND (SELECT count(*) FROM postprocessing WHERE image_id = \(image)) = \(crops)
                    AND NOT EXISTS (SELECT 1 FROM postprocessing p WHERE p.image_id = \(image)
                        AND pg_xact_commit_timestamp(p.xmin) > pg_xact_commit_timestamp(c.xmin))
                    """)
            }, until: { $0 == 1 })
        try await wait(for: "messages", within: 60, { try await site.messages() }) { $0 == 0 }
    }

    /// - Returns: seconds from the service's answer to the commit of the consensus.
    private static func latency(of service: String, _ image: Int, _ timed: TimedPlace) async throws -> Double {
        try await timed.place.site.number(
            """
            SELECT extract(epoch FROM pg_xact_commit_timestamp(c.xmin)) - (r.data -> 'metadata' ->> 'answered_at')::float8
            FROM consensus c JOIN results r ON r.image_id = c.image_id AND r.service = '\(service)' WHERE c.image_id = \(image)
            """)
    }
}
