import Foundation
import GRDB
import Model

/// The whole pipeline by `farm up` on the embedded file: photos posted to services that answer at once with 4 KB.
enum PipelineBench {
    private static let images = Scale.of(1000, quick: 200)
    private static let rounds = Scale.of(3, quick: 1)
    static let boxes = 4
    /// Colours for every box, face and pose for the person.
    static let questions = 6
    static let decodingThreads = "farm-picture"

    /// Of one round, in seconds of processor time but for the memory, the rate and the votes.
    private struct Round {
        var own = 0.0
        var pictures = 0.0
        var barePictures = 0.0
        var bare = 0.0
        var posts = 0.0
        var untold = 0.0
        var memory = 0.0
        var rate = 0.0
        var votes = 0.0
    }

    static func run() async throws -> [Figure] {
        let workplace = try Workplace(pictures: images, size: (1152, 864))
        try workplace.farm("import", "photos")
        let produced = try workplace.farm("produce")
        let jobs = images * Workplace.services.count
        say("  \(jobs) jobs")
        let start = BareUp.files(workplace, "farm.db")
        try BareUp.copy(start, to: BareUp.files(workplace, "start.db"))
        var all: [Round] = []
        for _ in 0..<rounds {
            try BareUp.copy(BareUp.files(workplace, "start.db"), to: start)
            all.append(try round(workplace, jobs))
        }
        func each(_ part: (Round) -> Double) -> Double { all.map(part).median }
        let own = each(\.own) / Double(jobs) * 1000
        return [
            Figure("processor time of `farm up`, pictures aside", own, "ms/job"),
            Figure(
                "the same rows, posts and answers by bare SQLite, libcurl and simdjson",
                each(\.bare) / Double(jobs) * 1000, "ms/job"),
            Figure("of it the posts alone", each(\.posts) / Double(jobs) * 1000, "ms/job"),
            Figure("ratio", each { $0.own / $0.bare }, "times", goal: .atMost(1.5)),
            Figure("by these without farm's triggers (counts, marks)", each(\.untold) / Double(jobs) * 1000, "ms/job"),
            Figure("decoding, cropping and encoding, per picture", each(\.pictures) / Double(images) * 1000, "ms"),
            Figure("the same by bare libturbojpeg", each(\.barePictures) / Double(images) * 1000, "ms"),
            Figure("ratio", each { $0.pictures / $0.barePictures }, "times", goal: .atMost(1.1)),
            Figure("resident memory of `farm up`, at most", all.map(\.memory).max() ?? .nan, "MB", goal: .atMost(80)),
            Figure("jobs done, with all that follows from them", each(\.rate), "jobs/s"),
            Figure("times that a consensus was computed, per image", each(\.votes), "times"),
            Figure("processor time of `farm produce`", produced.processor / Double(jobs) * 1e6, "µs/job"),
        ]
    }

    private static func round(_ workplace: Workplace, _ jobs: Int) throws -> Round {
        let file = try EmbeddedFile(workplace.path("farm.db"))
        let up = try workplace.start(["up"])
        let begin = Clock.wall
        try finish(file)
        let wall = Clock.wall - begin
        let used = try Consumption(of: up.pid)
        try up.terminate()
        try check(file, jobs)
        var round = Round()
        round.pictures = used.byThread[decodingThreads] ?? 0
        round.own = used.processor - round.pictures
        round.memory = used.memory
        round.rate = Double(jobs) / wall
        round.votes = try file.number("SELECT max(consensus_id) FROM consensus") / Double(images)
        round.barePictures = try barePictures(file, workplace)
        (round.posts, round.bare) = try BareUp.run(workplace, images: images, triggers: true)
        round.untold = try BareUp.run(workplace, images: images, triggers: false).all
        return round
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

    static func check(_ file: EmbeddedFile, _ jobs: Int) throws {
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

    /// Writes the crops, too, for `BareUp`.
    /// - Returns: processor seconds of bare libturbojpeg for the same pictures and crops.
    private static func barePictures(_ file: EmbeddedFile, _ workplace: Workplace) throws -> Double {
        // First the person's crop, which is asked about most.
        let crops = try file.rows(
            """
            SELECT image_path, group_concat(x || ' ' || y || ' ' || width || ' ' || height, ' ') AS areas FROM (
                SELECT i.image_id, i.image_path, CAST(data ->> '$.crop.x' AS INT) AS x,
                    CAST(data ->> '$.crop.y' AS INT) AS y, CAST(data ->> '$.crop.width' AS INT) AS width,
                    CAST(data ->> '$.crop.height' AS INT) AS height
                FROM postprocessing p JOIN images i ON i.image_id = p.image_id WHERE p.service = 'colors'
                ORDER BY i.image_id, data ->> '$.label' <> 'person')
            GROUP BY image_id ORDER BY image_id
            """)
        let lines = crops.map { "\($0["image_path"] as String) \($0["areas"] as String)" }.joined(separator: "\n")
        let list = workplace.path("crops.txt")
        try Data((lines + "\n").utf8).write(to: URL(filePath: list))
        try FileManager.default.createDirectory(atPath: workplace.path("crops"), withIntermediateDirectories: true)
        func crop(_ arguments: [String]) throws -> Double {
            try Programs.number(
                Child(Programs.beside("bare-pictures"), ["crop"] + arguments, in: workplace.folder.url, input: list)
                    .finished())
        }
        _ = try crop([workplace.path("crops")])
        return try crop([])
    }
}
