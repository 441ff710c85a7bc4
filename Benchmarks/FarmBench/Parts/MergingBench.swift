import Foundation
import Harmony
import Model

/// Fusing boxes, values in and values out, held against ensemble-boxes, the implementation of the method's authors.
enum MergingBench {
    private static let script = Programs.root.appending(path: "Benchmarks/merging.py").path
    private static let rounds = 20
    private static let runs = Scale.of(10, quick: 3)

    static func run() async throws -> [Figure] {
        let folder = try TemporaryFolder()
        let file = folder.path("images.json")
        try Child(Programs.python, [script, "make", file], in: folder.url).finished()
        let images = try read(file)
        let boxes = images.reduce(0) { $0 + $1.reduce(0) { $0 + ($1.data["predictions"]?.arrayValue?.count ?? 0) } }
        var (own, others): ([Double], [Double]) = ([], [])
        for _ in 0..<runs {
            own.append(Double(boxes) / fuseAll(images))
            others.append(
                Double(boxes)
                    / (try Programs.number(Child(Programs.python, [script, "fuse", file], in: folder.url).finished())))
        }
        return [
            Figure(
                "boxes fused by farm, per core, median of \(runs) runs", own.median, "boxes/s",
                goal: .atLeast(1_000_000)),
            Figure("slowest of \(runs)", own.min() ?? .nan, "boxes/s", goal: .atLeast(1_000_000)),
            Figure("by ensemble-boxes, per core", others.median, "boxes/s"),
            Figure("ratio", own.median / others.median, "times", goal: .atLeast(50)),
        ]
    }

    /// - Returns: processor seconds for all images.
    private static func fuseAll(_ images: [[DetectorAnswer]]) -> Double {
        let options = MergingOptions()
        var fused = 0
        let begin = Clock.thread
        for _ in 0..<rounds {
            for answers in images { fused += fuse(answers, options: options).boxes.count }
        }
        let seconds = (Clock.thread - begin) / Double(rounds)
        precondition(fused > 0)
        return seconds
    }

    private static func read(_ file: String) throws -> [[DetectorAnswer]] {
        let json = try JSON(parsing: Data(contentsOf: URL(filePath: file)))
        return (json.arrayValue ?? []).map { image in
            (image.objectValue ?? []).enumerated().map { number, answer in
                DetectorAnswer(resultID: number + 1, service: answer.key, data: answer.value)
            }
        }
    }
}
