import Foundation
import Harmony
import Model
import Pictures
import Pipeline
import Testing

@testable import Operations
@testable import Web

@Suite("The weight of a page")
struct PageWeightTests {
    @Test("is bounded by leaving out what comes last, and a list that goes on says where")
    func parts() {
        let row: HTML = "1234567890"
        let (pieces, next) = HTML.part(of: 10, from: 2, upTo: 35) { _ in row }
        #expect(pieces.count == 3 && next == 5)
        #expect(HTML.part(of: 10, from: 8, upTo: 35) { _ in row }.next == nil)
        // One at least, or a list would never end.
        #expect(HTML.part(of: 10, upTo: 3) { _ in row }.pieces.count == 1)
        #expect(HTML.part(of: 10, from: .max, upTo: 3) { _ in row }.pieces.isEmpty)
        let fitted = HTML.fitted(Array(repeating: (short: "12", long: "1234"), count: 5), upTo: 15)
        #expect(fitted.map(\.weight) == [4, 4, 2, 2, 2])
        #expect(
            HTML.fitted(Array(repeating: (short: "12", long: "1234"), count: 5), upTo: 7).map(\.weight) == [2, 2, 2])
    }

    private func object(_ members: [(String, JSON)]) -> JSON { .object(members.map { JSON.Member($0.0, $0.1) }) }

    private func predictions(_ text: String) -> JSON {
        let all = (0..<600).map { number -> JSON in
            let bbox = Box(x: Double(number), y: 3.25, width: number % 7 == 0 ? 1e200 : 20, height: 7.125)
            let confidence = JSON.double(Double(number % 100) / 100)
            return object([
                ("label", .string(text)), ("emoji", .string(text)), ("confidence", confidence), ("bbox", bbox.json),
            ])
        }
        return object([("predictions", .array(all))])
    }

    private func results(_ text: String) -> [StoredResult] {
        let data = predictions(text)
        let services = ["rtdetr", "yolov8"] + (0..<30).map { text + "\($0)" }
        return services.map { service in
            StoredResult(
                resultID: 1, imageID: 1, service: service, data: data, status: .success, processingTime: 1,
                created: .now)
        }
    }

    private func boxes(_ text: String) -> [StoredBox] {
        let seen = Detection(service: text, confidence: 0.5, bbox: Box(x: 1, y: 1, width: 5, height: 5))
        let box = MergedBox(
            clusterID: text, label: text, emoji: text, bbox: Box(x: 1, y: 2, width: 30, height: 40),
            averageConfidence: 0.5,
            score: 0.5, contributingServices: [text], detections: Array(repeating: seen, count: 50),
            sourceResultIDs: [1])
        return (0..<500).map { StoredBox(mergedID: $0, data: box.json) }
    }

    private func consensus(_ text: String) -> JSON {
        let services = JSON.array(Array(repeating: .string(text), count: 50))
        let vote = object([("emoji", .string(text)), ("votes", 5), ("services", services)])
        return object([("votes", object([("consensus", .array(Array(repeating: vote, count: 500)))]))])
    }

    /// An image about which everything is as long as it may be.
    private func detail(_ text: String) -> ImageDetail {
        let results = results(text)
        let enrichments = (0..<500).flatMap { number in
            Enrichment.services.map { service in
                StoredEnrichment(mergedID: number, service: service, data: .string(text), status: .error)
            }
        }
        let findings = ImageFindings(
            imageID: 1, results: results, successes: [], boxes: boxes(text), enrichments: enrichments)
        let answers = results.prefix(2).map { DetectorAnswer(resultID: 1, service: $0.service, data: $0.data) }
        let row = ResultSummary(
            resultID: 1, service: text, status: .error, processingTime: 1, created: .now, workerID: text, error: text)
        let image = Image(id: 1, filename: text, path: text, url: text)
        return ImageDetail(
            report: ImageReport(image: image, findings: findings, consensus: consensus(text)), state: .complete,
            missing: [], failed: [], history: Array(repeating: row, count: 200), hasOlderHistory: true,
            explanation: explain(answers, options: MergingOptions()), mergedIDs: [], undecided: [])
    }

    private func page(_ detail: ImageDetail, _ neighbours: ImageNeighbours = ImageNeighbours()) throws -> HTML {
        ImagePageContent(
            detail: detail, search: try ImageSearchFields(try Fields("disagree=1"), expected: []),
            neighbours: neighbours,
            size: .success(.init((width: 640, height: 480))), services: ["clip"]
        ).html
    }

    @Test("of an image stays below 80 KB, however many boxes, answers and votes there are, and whatever they say")
    func image() throws {
        for text in ["person", String(repeating: "\"'<", count: 300), String(repeating: "\u{202E}", count: 300)] {
            let weight = try page(detail(text)).weight
            #expect(weight <= 80_000, "\(text.prefix(10)): \(weight)")
        }
    }

    @Test("an image beside which the search for the next one was given up says so, and leads on")
    func neighbours() throws {
        let detail = detail("person")
        let cut = try page(detail, ImageNeighbours(previous: 5, next: nil, isCutShort: true)).text
        #expect(cut.contains("was given up") && cut.contains("at=a1"))
        for known in [
            ImageNeighbours(previous: 5, next: nil), ImageNeighbours(previous: 5, next: 3, isCutShort: true),
        ] { #expect(try !page(detail, known).text.contains("was given up")) }
    }
}
