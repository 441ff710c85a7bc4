import Model

/// How well the services of a farm agree and work, from a sample of images.
package struct QualityReport: Sendable, Equatable {
    /// How often two detectors saw the same things of a label.
    package struct Pair: Sendable, Equatable {
        /// A detector.
        package var first: String
        /// Another one.
        package var second: String
        /// What they saw.
        package var label: String
        /// Objects that both saw.
        package var both: Int
        /// Objects that the second did not see.
        package var onlyFirst: Int
        /// Objects that the first did not see.
        package var onlySecond: Int

        /// The share of the objects that both saw, 0…1.
        package var agreement: Double { Double(both) / Double(max(1, both + onlyFirst + onlySecond)) }
    }

    /// What a detector sees and misses of a label.
    package struct Sight: Sendable, Equatable {
        /// The detector.
        package var detector: String
        /// What it is about.
        package var label: String
        /// Objects that it saw.
        package var seen: Int
        /// How many of them no other detector saw, although others answered.
        package var alone: Int
        /// Fused boxes that it did not see.
        package var missed: Int
    }

    /// In how many images an emoji has votes, and in how many a box shows it.
    package struct Evidence: Sendable, Equatable {
        /// Normalised.
        package var emoji: String
        /// Images with both.
        package var both: Int
        /// Images where it is in the consensus, and no box has it.
        package var votesOnly: Int
        /// Images where a box has it, and it is not in the consensus.
        package var boxesOnly: Int
    }

    /// What a service did.
    package struct Service: Sendable, Equatable {
        /// Its name.
        package var service: String
        /// Newest rows that succeeded.
        package var successes: Int
        /// Newest rows that are errors.
        package var failures: Int
        /// Seconds of the successful ones: median and 95th percentile.
        package var p50: Double?
        /// See `p50`.
        package var p95: Double?
        /// Images that it has answered at least twice.
        package var repeated: Int
        /// How many of them have a newest row with other labels, emoji or another status than the row before it.
        package var changed: Int
        /// How many predictions have a confidence in each twentieth of 0…1.
        package var confidences: [Int]
    }

    /// The images that were looked at: the newest that a service has answered.
    package var images: Int
    /// How many of them at least two detectors have answered.
    package var comparedImages: Int
    /// Most objects first.
    package var pairs: [Pair]
    /// Most objects first.
    package var sights: [Sight]
    /// Most images first.
    package var evidence: [Evidence]
    /// The services, by name.
    package var services: [Service]

    /// In how many parts confidences are counted.
    package static let bins = 20
}

extension QualityReport {
    /// As the API has it.
    package var json: JSON {
        .object([
            "images": .int(Int64(images)), "compared_images": .int(Int64(comparedImages)),
            "pairs": .array(
                pairs.map {
                    .object([
                        "first": .string($0.first), "second": .string($0.second), "label": .string($0.label),
                        "both": .int(Int64($0.both)), "only_first": .int(Int64($0.onlyFirst)),
                        "only_second": .int(Int64($0.onlySecond)), "agreement": .double($0.agreement),
                    ])
                }),
            "detectors": .array(
                sights.map {
                    .object([
                        "detector": .string($0.detector), "label": .string($0.label), "seen": .int(Int64($0.seen)),
                        "alone": .int(Int64($0.alone)), "missed": .int(Int64($0.missed)),
                    ])
                }),
            "evidence": .array(
                evidence.map {
                    .object([
                        "emoji": .string($0.emoji), "both": .int(Int64($0.both)),
                        "votes_only": .int(Int64($0.votesOnly)), "boxes_only": .int(Int64($0.boxesOnly)),
                    ])
                }),
            "services": .array(services.map(\.json)),
        ])
    }
}

extension QualityReport.Service {
    fileprivate var json: JSON {
        .object([
            "service": .string(service), "successes": .int(Int64(successes)), "failures": .int(Int64(failures)),
            "p50": p50.map(JSON.double) ?? .null, "p95": p95.map(JSON.double) ?? .null,
            "repeated": .int(Int64(repeated)), "changed": .int(Int64(changed)),
            "confidences": .array(confidences.map { .int(Int64($0)) }),
        ])
    }
}
