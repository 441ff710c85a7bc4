import Foundation
import Model
import Pipeline
import PostgreSQL
import Servers
import Waiting

/// Storing answers in groups, held against what a bare program of libpq reaches by each way there is; the same table with
/// the same indexes, emptied before each.
enum PostgreSQLBench {
    private static let rows = 20_000
    private static let group = 100
    private static let methods = ["unnest", "recordset", "copy", "pipeline"]

    static func run() async throws -> [Figure] {
        let server = try PostgreSQLServer.shared()
        let place = try await server.database()
        let database = try await PostgreSQLDatabase(
            PostgreSQLOptions(
                host: server.host, port: server.port, name: place.name, user: place.user,
                password: { place.password }, sslMode: "disable", applicationName: "farm-bench"),
            time: SystemTime(), log: Jobs.silence)
        _ = try await database.prepare()
        try await server.run(
            "INSERT INTO images (image_path, image_filename) SELECT n || '.jpg', n || '.jpg' FROM generate_series(1, \(rows)) n",
            in: place.name)
        let store = PostgreSQLStore(database)
        let folder = try TemporaryFolder()
        let answer = Answers.data
        try Data(answer).write(to: URL(filePath: folder.path("answer.json")))
        let bare: [() async throws -> Double] = methods.map { method in
            {
                try await empty(server, place)
                return try Programs.number(
                    Child(
                        Programs.beside("bare-postgresql"),
                        [
                            method,
                            "host=127.0.0.1 port=\(server.port) user=postgres dbname=\(place.name) sslmode=disable",
                            folder.path("answer.json"), "\(rows)", "\(group)", "1",
                        ], in: folder.url
                    ).finished())
            }
        }
        let own: () async throws -> Double = {
            try await empty(server, place)
            let results = Answers.results(rows, answer)
            return try await seconds {
                for start in stride(from: 0, to: rows, by: group) {
                    try await store.record(Array(results[start..<min(start + group, rows)]))
                }
            }
        }
        let taken = try await interleaved([own] + bare)
        await database.close()
        await server.remove(place)
        let rates = taken.map { Double(rows) / $0 }
        let best = rates.dropFirst().max() ?? .nan
        return [Figure("stored in groups of \(group), by farm", rates[0], "rows/s")]
            + zip(methods, rates.dropFirst()).map { Figure("by bare libpq, \($0)", $1, "rows/s") }
            + [Figure("ratio to the best of these", rates[0] / best, "times", goal: .atLeast(0.7))]
    }

    private static func empty(_ server: PostgreSQLServer, _ database: PostgreSQLServer.Database) async throws {
        try await server.run("TRUNCATE results", in: database.name)
        try await server.run("CHECKPOINT")
    }
}

/// Answers as a detector gives them.
enum Answers {
    /// 1.5 KB.
    static let data: [UInt8] = {
        let boxes = (0..<14).map { number in
            #"{"label": "person", "confidence": 0.9\#(number), "bbox": {"x": \#(number * 7), "y": 20, "width": 300, "#
                + #""height": 420}, "emoji": "🧑"}"#
        }
        return Array(
            #"{"service": "yolov8", "status": "success", "predictions": [\#(boxes.joined(separator: ", "))]}"#.utf8)
    }()

    static func results(_ count: Int, _ data: [UInt8]) -> [AnalysisResult] {
        (1...count).map { number in
            AnalysisResult(
                imageID: number, service: "yolov8", data: data, status: .success, processingTime: 0.25,
                workerID: "work_yolov8_bench_1", jobID: UUID())
        }
    }
}
