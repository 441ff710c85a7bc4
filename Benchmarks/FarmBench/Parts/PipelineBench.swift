import Foundation
import GRDB
import Model

/// The whole pipeline by `farm up` on the embedded file: photos posted to services that answer at once with 4 KB.
enum PipelineBench {
    private static let images = 1000
    static let boxes = 4
    /// Colours for every box, face and pose for the person.
    static let questions = 6
    static let decodingThreads = "farm-picture"

    static func run() async throws -> [Figure] {
        let workplace = try Workplace(pictures: images, size: (1152, 864))
        try workplace.farm("import", "photos")
        let produced = try workplace.farm("produce")
        let jobs = images * Workplace.services.count
        say("  \(jobs) jobs")
        let file = try EmbeddedFile(workplace.path("farm.db"))
        let up = try workplace.start(["up"])
        let begin = Clock.wall
        try finish(file)
        let wall = Clock.wall - begin
        let used = try Consumption(of: up.pid)
        try up.terminate()
        try check(file, jobs)
        let pictures = used.byThread[decodingThreads] ?? 0
        let bare = try barePictures(file, workplace)
        let votes = try file.number("SELECT max(consensus_id) FROM consensus") / Double(images)
        return [
            Figure(
                "processor time of `farm up`, pictures aside", (used.processor - pictures) / Double(jobs) * 1000,
                "ms/job", goal: .atMost(0.5)),
            Figure("decoding, cropping and encoding, per picture", pictures / Double(images) * 1000, "ms"),
            Figure("the same by bare libturbojpeg", bare / Double(images) * 1000, "ms"),
            Figure("ratio", pictures / bare, "times", goal: .atMost(1.2)),
            Figure("resident memory of `farm up`, at most", used.memory, "MB", goal: .atMost(80)),
            Figure("jobs done, with all that follows from them", Double(jobs) / wall, "jobs/s"),
            Figure("times that a consensus was computed, per image", votes, "times"),
            Figure("processor time of `farm produce`", produced.processor / Double(jobs) * 1e6, "µs/job"),
        ]
    }

    /// Waits until nothing is left to do.
    private static func finish(_ file: EmbeddedFile) throws {
        let left = "SELECT (SELECT count(*) FROM farm_queue) + \(images) - (SELECT count(*) FROM consensus)"
        try file.wait(left) { left in
            // Seldom, since the query takes time of what is measured.
            usleep(50_000)
            return left == 0
        }
    }

    private static func check(_ file: EmbeddedFile, _ jobs: Int) throws {
        let expected = [
            "SELECT count(*) FROM results WHERE status = 'success'": jobs,
            "SELECT count(*) FROM merged_boxes": images * boxes,
            "SELECT count(*) FROM postprocessing WHERE status = 'success'": images * questions,
            "SELECT count(*) FROM consensus WHERE json_array_length(consensus_data, '$.services_list') = 11": images,
        ]
        for (sql, count) in expected {
            let found = Int(try file.number(sql))
            guard found == count else { throw BenchFault("\(found) instead of \(count): \(sql)") }
        }
    }

    /// - Returns: processor seconds of bare libturbojpeg for the same pictures and crops; the median of three.
    private static func barePictures(_ file: EmbeddedFile, _ workplace: Workplace) throws -> Double {
        let crops = try file.rows(
            """
            SELECT image_path, group_concat(x || ' ' || y || ' ' || width || ' ' || height, ' ') AS areas FROM (
                SELECT i.image_path, CAST(data ->> '$.crop.x' AS INT) AS x, CAST(data ->> '$.crop.y' AS INT) AS y,
                    CAST(data ->> '$.crop.width' AS INT) AS width, CAST(data ->> '$.crop.height' AS INT) AS height
                FROM postprocessing p JOIN images i ON i.image_id = p.image_id WHERE p.service = 'colors')
            GROUP BY image_path
            """)
        let lines = crops.map { "\($0["image_path"] as String) \($0["areas"] as String)" }.joined(separator: "\n")
        let list = workplace.path("crops.txt")
        try Data((lines + "\n").utf8).write(to: URL(filePath: list))
        return try (0..<3).map { _ in
            try Programs.number(
                Child(Programs.beside("bare-pictures"), ["crop"], in: workplace.folder.url, input: list).finished())
        }.median
    }
}
