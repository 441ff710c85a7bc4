import Doubles
import Foundation
import Model
import Testing

@testable import Harmony

/// One random input, in the terms of both programs.
private struct Case {
    var iou: Double
    /// Of each model its predictions.
    var models: [[(label: Int, confidence: Double, box: Box)]]

    /// For every label the unit square is cut into a grid of its own, and of each model at most one box of that label
    /// lies in a cell. So no model overlaps itself, and the rule that farm adds, at most one box of a service in a
    /// cluster, can never decide anything: a fused box lies within the cell of its members, so boxes of other cells do
    /// not overlap it, and in its cell no model has a second box. Without the cells it could: a fused box moves as
    /// members join, and may come to overlap two boxes of one model that do not touch.
    init(_ random: inout SplitMix64) {
        iou = Double.random(in: 0.3...0.8, using: &random)
        models = Array(repeating: [], count: Int.random(in: 2...6, using: &random))
        for label in 0..<Int.random(in: 1...4, using: &random) {
            let (columns, rows) = (Case.cuts(&random), Case.cuts(&random))
            for (left, right) in zip(columns, columns.dropFirst()) {
                for (top, bottom) in zip(rows, rows.dropFirst()) {
                    let cell = Box(x: left, y: top, width: right - left, height: bottom - top)
                    let objects = (0..<Int.random(in: 1...2, using: &random)).map { _ in Case.part(of: cell, &random) }
                    for model in models.indices where Double.random(in: 0..<1, using: &random) < 0.8 {
                        guard let object = objects.randomElement(using: &random) else { continue }
                        models[model].append(
                            (label, Double.random(in: 0.05...1, using: &random), Case.near(object, in: cell, &random)))
                    }
                }
            }
        }
        for model in models.indices { models[model].shuffle(using: &random) }
    }

    /// Edges of up to four parts of 0…1, each at least a sixteenth.
    private static func cuts(_ random: inout SplitMix64) -> [Double] {
        let parts = Int.random(in: 1...4, using: &random)
        let inner = (1..<16).shuffled(using: &random).prefix(parts - 1).sorted().map { Double($0) / 16 }
        return [0] + inner + [1]
    }

    private static func part(of cell: Box, _ random: inout SplitMix64) -> Box {
        let (width, height) = (
            cell.width * Double.random(in: 0.4...0.9, using: &random),
            cell.height * Double.random(in: 0.4...0.9, using: &random)
        )
        return Box(
            x: cell.x + Double.random(in: 0...1, using: &random) * (cell.width - width),
            y: cell.y + Double.random(in: 0...1, using: &random) * (cell.height - height), width: width, height: height)
    }

    /// The object as a detector sees it: each edge a little off, but in the cell.
    private static func near(_ object: Box, in cell: Box, _ random: inout SplitMix64) -> Box {
        func off(_ edge: Double, by side: Double, within limits: ClosedRange<Double>) -> Double {
            min(
                max(edge + side * Double.random(in: -0.12...0.12, using: &random), limits.lowerBound), limits.upperBound
            )
        }
        let across = cell.x...(cell.x + cell.width)
        let down = cell.y...(cell.y + cell.height)
        let (left, top) = (
            off(object.x, by: object.width, within: across), off(object.y, by: object.height, within: down)
        )
        let right = off(object.x + object.width, by: object.width, within: across)
        let bottom = off(object.y + object.height, by: object.height, within: down)
        return Box(x: left, y: top, width: right - left, height: bottom - top)
    }

    var answers: [DetectorAnswer] {
        models.enumerated().map { number, predictions in
            answer(
                "model\(number)", number,
                predictions.map {
                    prediction(
                        .string("label\($0.label)"), .double($0.box.x), .double($0.box.y), .double($0.box.width),
                        .double($0.box.height), confidence: .double($0.confidence))
                })
        }
    }

    var json: JSON {
        .object([
            "iou": .double(iou),
            "models": .array(
                models.map { predictions in
                    .array(
                        predictions.map { Fused(label: $0.label, score: $0.confidence, corners: Corners($0.box)).json })
                }),
        ])
    }
}

/// A fused box, of either program.
private struct Fused {
    var label: Int
    /// Mean confidence × members / models: the package's conf_type `avg`, and the score of section 6.
    var score: Double
    var corners: Corners

    init(label: Int, score: Double, corners: Corners) {
        self.label = label
        self.score = score
        self.corners = corners
    }

    init?(_ json: JSON) {
        guard let label = json["label"]?.integerValue, let score = json["score"]?.numberValue,
            let edges = json["box"]?.arrayValue?.compactMap(\.numberValue), edges.count == 4
        else { return nil }
        self.init(
            label: label, score: score,
            corners: Corners(left: edges[0], top: edges[1], right: edges[2], bottom: edges[3]))
    }

    private var edges: [Double] { [corners.left, corners.top, corners.right, corners.bottom] }

    var json: JSON {
        .object(["label": .int(Int64(label)), "score": .double(score), "box": .array(edges.map(JSON.double))])
    }

    /// Equal but for the package's float32.
    func matches(_ other: Fused) -> Bool {
        label == other.label && zip(edges + [score], other.edges + [other.score]).allSatisfy { abs($0 - $1) < 1e-5 }
    }
}

@Suite("Fusing boxes, held against ensemble-boxes")
struct EnsembleBoxesTests {
    /// Compared before step 5 drops clusters and rounds. The package works in float32 and joins at IoU > t, not ≥ t:
    /// among random boxes none lies on the threshold.
    @Test("clusters, fused boxes and scores are those of the method's authors")
    func sameBoxes() async throws {
        let seed: UInt64 = 20_261_124
        var random = SplitMix64(seed: seed)
        let cases = (0..<500).map { _ in Case(&random) }
        let references = try await referenceBoxes(cases)
        try #require(references.count == cases.count)
        var fusedOfMany = 0
        for (number, (input, reference)) in zip(cases, references).enumerated() {
            let clustering = Clustering(
                Reading(input.answers, options: MergingOptions()), options: MergingOptions(mergeIoU: input.iou))
            var unmatched = reference
            for cluster in clustering.clusters {
                let label = try #require(Int(clustering.reading.labels[Int(cluster.label)].dropFirst(5)))
                let fused = Fused(
                    label: label, score: cluster.confidenceSum / Double(input.models.count), corners: cluster.fused)
                let match = unmatched.firstIndex { $0.matches(fused) }
                if let match {
                    unmatched.remove(at: match)
                } else {
                    Issue.record("seed \(seed), case \(number): only farm has \(fused)")
                }
                if cluster.count > 2 { fusedOfMany += 1 }
            }
            #expect(unmatched.isEmpty, "seed \(seed), case \(number): only ensemble-boxes has these")
        }
        #expect(fusedOfMany > 1000, "the inputs should lead to clusters worth comparing")
    }

    private func referenceBoxes(_ cases: [Case]) async throws -> [[Fused]] {
        let input = JSON.object(["cases": .array(cases.map(\.json))])
        let output = try await runReference(Data(input.bytes))
        let answers = try JSON(parsing: output)["cases"]?.arrayValue ?? []
        return answers.map { ($0.arrayValue ?? []).compactMap(Fused.init) }
    }

    /// Runs the script with files for its input and output: unlike pipes they neither fill up nor break.
    private func runReference(_ input: Data) async throws -> Data {
        let sources = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        let root = sources.deletingLastPathComponent().deletingLastPathComponent()
        let python =
            ProcessInfo.processInfo.environment["FARM_TEST_PYTHON"]
            ?? root.appending(path: ".build-python/bin/python3").path
        let folder = FileManager.default.temporaryDirectory.appending(path: "ensemble-boxes-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ contents: Data = Data()) throws -> (URL, FileHandle) {
            let url = folder.appending(path: name)
            try contents.write(to: url)
            return (url, try FileHandle(forUpdating: url))
        }
        let (_, stdin) = try file("stdin", input)
        let (output, stdout) = try file("stdout")
        let (errors, stderr) = try file("stderr")

        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = [sources.appending(path: "Reference/ensemble_boxes_reference.py").path]
        (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
        do {
            try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
                process.terminationHandler = { _ in ended.resume() }
                do { try process.run() } catch { ended.resume(throwing: error) }
            }
        } catch {
            throw ReferenceFault("cannot run \(python) (\(error)); `make setup` mends it")
        }
        guard process.terminationStatus == 0 else {
            let message = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
            throw ReferenceFault("\(python) failed; `make setup` mends it if a module is missing: \(message)")
        }
        return try Data(contentsOf: output)
    }
}

private struct ReferenceFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
