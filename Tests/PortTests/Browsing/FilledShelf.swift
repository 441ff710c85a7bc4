import Foundation
import Model
import Pipeline

/// A store with many images, put there and indexed by SQL. Of ten thousand images each
/// - has three of the 80 labels `label0`…, one of which is `label0` for two images in five; `rare` are the first twelve;
/// - has one of the emoji `e0`…`e39` with 2 to 8 votes; the confidence of its surest box is one of 0.00…0.99;
/// - has answers of three services; the first service of each thousandth has failed, each hundredth lacks one, each fiftieth is
///   of detectors that disagree.
struct FilledShelf: Sendable {
    static let expected = ["blip", "rtdetr", "yolov8"]

    /// Queries of every kind, with what they are called.
    static let queries: [(name: String, query: ImageQuery)] = [
        ("every image", ImageQuery()),
        ("group", ImageQuery(group: "g3")),
        ("group that is not there", ImageQuery(group: "none")),
        ("label, frequent", ImageQuery(label: "label0")),
        ("label, rare", ImageQuery(label: "rare")),
        ("label, not there", ImageQuery(label: "unicorn")),
        ("label, also of a detector", ImageQuery(label: "label7", includesUnfused: true)),
        ("emoji", ImageQuery(emoji: "e3")),
        ("emoji with 8 votes", ImageQuery(emoji: "e3", minVotes: 8)),
        ("8 votes", ImageQuery(minVotes: 8)),
        ("9 votes: none", ImageQuery(minVotes: 9)),
        ("confidence 0.985", ImageQuery(minConfidence: 0.985)),
        ("label with confidence 0.995: none", ImageQuery(label: "label0", minConfidence: 0.995)),
        ("disagreement", ImageQuery(disagrees: true)),
        ("failed service", ImageQuery(failedService: "blip")),
        ("failed service that never fails", ImageQuery(failedService: "yolov8")),
        ("incomplete", ImageQuery(isIncomplete: true, expected: expected)),
        ("pending: none", ImageQuery(state: .pending, expected: expected)),
        ("partial", ImageQuery(state: .partial, expected: expected)),
        ("complete", ImageQuery(state: .complete, expected: expected)),
        ("complete with errors", ImageQuery(state: .completeWithErrors, expected: expected)),
        ("no consensus: none", ImageQuery(lacksConsensus: true)),
        ("text, one image", ImageQuery(text: "img_77.jpg")),
        ("text, none", ImageQuery(text: "nowhere")),
        ("two frequent labels' images in a group, by emoji", ImageQuery(group: "g3", label: "label0", emoji: "e3")),
        ("frequent label and failed", ImageQuery(label: "label0", failedService: "blip")),
        ("frequent label and rare text", ImageQuery(label: "label0", text: "img_77.jpg")),
        ("frequent label, 9 votes: none", ImageQuery(label: "label0", minVotes: 9)),
        ("disagreement, label, confidence", ImageQuery(label: "label5", minConfidence: 0.9, disagrees: true)),
    ]

    /// Runs SQL.
    let execute: @Sendable (String) async throws -> Void
    let images: Int

    private var numbers: String {
        "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < \(images)) SELECT n FROM s) AS s"
    }

    /// - Parameter makesKeys: the states have keys, as in PostgreSQL.
    func fill(makesKeys: Bool) async throws {
        for sql in rows + (makesKeys ? statesWithKeys : states) + index { try await execute(sql) }
    }

    private var rows: [String] {
        [
            """
            INSERT INTO images (image_filename, image_path, image_group)
            SELECT 'IMG_' || n || '.jpg', '/srv/photos/trip' || (n / 1000) || '/IMG_' || n || '.jpg', 'g' || (n % 9)
            FROM \(numbers)
            """,
            """
            INSERT INTO results (image_id, service, data, status, processing_time)
            SELECT n, 'yolov8', '{"predictions": []}', 'success', 0.25 FROM \(numbers)
            """,
            """
            INSERT INTO merged_boxes (image_id, merged_data, status)
            SELECT n, '{"label": "label0", "avg_confidence": 0.9, "merged_bbox": {"x": 1, "y": 1, "width": 9, "height": 9}}',
                'success' FROM \(numbers)
            """,
            """
            INSERT INTO consensus (image_id, consensus_data)
            SELECT n, '{"votes": {"consensus": [{"emoji": "🐱", "votes": 2}]}}' FROM \(numbers)
            """,
        ]
    }

    private static let standings = [
        ImageStanding(answered: expected, hasConsensus: true),
        ImageStanding(answered: Array(expected.dropFirst()), failed: ["blip"], hasConsensus: true),
        ImageStanding(answered: Array(expected.dropLast()), hasConsensus: true),
        ImageStanding(answered: expected, hasConsensus: true, disagrees: true),
    ].map { $0.json.text }

    private var states: [String] {
        FilledShelf.standings.map { "INSERT INTO farm_image_states (standing) VALUES ('\($0)')" }
    }

    private var statesWithKeys: [String] {
        FilledShelf.standings.map {
            "INSERT INTO farm_image_states (key, standing) VALUES (gen_random_uuid(), '\($0)')"
        }
    }

    private var index: [String] {
        let tags =
            (0..<80).map { "l:label\($0)" } + ["l:rare", "u:label7"] + (0..<40).map { "e:e\($0)" }
        let values = tags.map { "('\($0)')" }.joined(separator: ", ")
        func tagged(_ tag: String, _ value: String, _ condition: String = "1 = 1") -> String {
            """
            INSERT INTO farm_tagged_images (tag_id, image_id, value) SELECT \(tag), n, \(value) FROM \(numbers)
            WHERE \(condition) ON CONFLICT DO NOTHING
            """
        }
        return [
            "INSERT INTO farm_image_tags (tag) VALUES \(values)",
            tagged("1", "(n % 100) / 100.0", "n % 5 < 2"), tagged("1 + n % 79", "(n % 100) / 100.0"),
            tagged("2 + (n / 80) % 79", "(n % 100) / 100.0"), tagged("81", "0.5", "n <= 12"),
            tagged("82", "0.3", "n % 50 = 1"), tagged("83 + n % 40", "2 + n % 7"),
            """
            INSERT INTO farm_indexed_images (image_id, state_id, votes, sureness, confidence, boxes, result_id, merged_id,
                consensus_id, tags)
            SELECT n, CASE WHEN n % 1000 = 0 THEN 2 WHEN n % 100 = 0 THEN 3 WHEN n % 50 = 0 THEN 4 ELSE 1 END, 2 + n % 7,
                (n % 100) / 5, (n % 100) / 100.0, 1, n, n, n, '{}' FROM \(numbers)
            """,
            "INSERT INTO farm_index_marks (relation, mark) VALUES \(marks)",
        ]
    }

    private var marks: String {
        ["images", "results", "merged_boxes", "consensus"].map { "('\($0)', \(images))" }.joined(separator: ", ")
            + ", ('verified', 0)"
    }
}
