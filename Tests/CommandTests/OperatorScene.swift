import Foundation
import Model
import Testing

/// What an operator finds: dead letters, waiting jobs, results, put there by SQL.
extension Workplace {
    /// A workplace with its tables and images 1 to `images`: odd ones of the group `odd`, even ones of `even`.
    static func prepared(images: Int = 0) async throws -> Workplace {
        let workplace = try Workplace()
        let made = try await workplace.farm("init")
        try #require(made.status == 0, "\(made.error)")
        if images > 0 {
            _ = try await workplace.rows(
                """
                \(numbers(images)) INSERT INTO images (image_filename, image_group)
                SELECT n || '.jpg', iif(n % 2, 'odd', 'even') FROM number
                """)
        }
        return workplace
    }

    private static func numbers(_ count: Int) -> String {
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < \(count))"
    }

    /// A job of image n, with an id that tells n.
    private static func job(_ service: String) -> String {
        """
        CAST(json_object('image_id', n, 'job_id', printf('%08x-0000-4000-8000-000000000000', n),
            'service_name', '\(service)') AS BLOB)
        """
    }

    /// Dead letters of images 1 to `count`.
    /// - Parameter died: SQL for when number n died.
    func bury(
        _ count: Int, of service: String = "clip", reason: String = "timeout",
        died: String = "strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 hour')"
    ) async throws {
        _ = try await rows(
            """
            \(Workplace.numbers(count)) INSERT INTO farm_dead
                (queue, body, reason, message, tries, worker_id, first_failure, dead_since)
            SELECT 'queue_\(service)', \(Workplace.job(service)), '\(reason)', 'no answer', 3, 'w1',
                '2026-01-02 03:04:05.678', \(died) FROM number
            """)
    }

    /// A dead letter of a message as it came.
    func bury(_ body: String, in queue: String, reason: String = "bad_message") async throws {
        let hex = body.utf8.map { String(format: "%02x", $0) }.joined()
        _ = try await rows(
            """
            INSERT INTO farm_dead (queue, body, reason, message, tries, worker_id, first_failure, dead_since)
            VALUES ('\(queue)', x'\(hex)', '\(reason)', 'not JSON', 0, 'w1', '2026-01-02 03:04:05.678',
                '2026-01-02 03:04:06.000')
            """)
    }

    /// Waiting jobs of images 1 to `count`.
    func submit(_ count: Int, to service: String) async throws {
        _ = try await rows(
            """
            \(Workplace.numbers(count)) INSERT INTO farm_queue (queue, body, due_at)
            SELECT 'queue_\(service)', \(Workplace.job(service)), n FROM number
            """)
    }

    /// How many messages wait by queue, as `queue|count`.
    func waiting() async throws -> [String] {
        try await rows("SELECT queue, count(*) FROM farm_queue GROUP BY queue ORDER BY queue")
    }

    func deadCount() async throws -> Int { try await count("SELECT count(*) FROM farm_dead") }

    /// Runs a command on a terminal of its own, where somebody types.
    func farm(_ arguments: String, typing text: String) async throws -> Finished {
        let shell = try Running(
            URL(fileURLWithPath: "/bin/sh"),
            ["-c", "printf '\(text)' | script -qec '\(Program.url.path) \(arguments)' /dev/null"], in: folder,
            ["PATH": "/usr/bin:/bin", "HOME": folder.path, "TERM": "xterm"])
        return try await shell.finished()
    }
}
