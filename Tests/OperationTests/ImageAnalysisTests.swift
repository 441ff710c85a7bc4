import Foundation
import Model
import Operations
import Pipeline
import Testing

@Suite("How far an image is, and which services are asked again")
struct ImageAnalysisTests {
    private static let written = Date(timeIntervalSince1970: 1_790_000_000)
    private static let expected = ["blip", "clip", "colors", "ocr"]

    private let directory = ServiceDirectory(
        configured: ImageAnalysisTests.expected.map {
            ServiceDirectory.Entry(name: $0, queue: "queue_\($0)", category: .primary, evidence: .none)
        }, catalogue: [])

    private func row(
        _ id: Int, _ service: String, _ status: ResultStatus = .success, _ data: String = #"{"predictions":[{}]}"#
    ) throws -> StoredResult {
        StoredResult(
            resultID: id, imageID: 1, service: service, data: try JSON(parsing: data), status: status,
            processingTime: 1, created: ImageAnalysisTests.written.addingTimeInterval(Double(id)))
    }

    /// An image that blip has answered, on which clip has failed after it had answered, in which colors saw nothing and which
    /// ocr was never asked about.
    private func analysis(
        consensus: String? = nil, expecting expected: [String] = ImageAnalysisTests.expected
    ) throws -> ImageAnalysis {
        let (blip, colors) = (try row(1, "blip"), try row(3, "colors", .success, #"{"predictions":[]}"#))
        let findings = ImageFindings(
            imageID: 1, results: [blip, try row(4, "clip", .error, #"{"error":{}}"#), colors],
            successes: [blip, try row(2, "clip"), colors], boxes: [], enrichments: [])
        return ImageAnalysis(
            ImageReport(
                image: Image(id: 1), findings: findings, consensus: try consensus.map { try JSON(parsing: $0) }),
            expecting: expected)
    }

    @Test("what lacks, and what has failed")
    func standing() throws {
        let whole = try analysis()
        #expect(whole.state == .partial && whole.missing == ["ocr"] && whole.failed == ["clip"])
        #expect(!whole.isAnswered)
        let known = try analysis(expecting: ["blip", "clip"])
        #expect(known.state == .completeWithErrors && known.missing.isEmpty && known.isAnswered)
        #expect(try analysis(expecting: ["blip"]).state == .complete)
    }

    @Test("a consensus is the newest only if it knows every service and is as new as the newest row")
    func consensus() throws {
        func consensus(_ services: String, failed: String, after seconds: Double) -> String {
            let time = Timestamp.iso8601(ImageAnalysisTests.written.addingTimeInterval(seconds))
            return #"{"services_list":\#(services),"services_failed":\#(failed),"latest_result_time":"\#(time)"}"#
        }
        let all = #"["blip","colors"]"#
        #expect(try analysis(consensus: consensus(all, failed: #"["clip"]"#, after: 4)).hasNewestConsensus)
        #expect(try !analysis(consensus: consensus(all, failed: #"["clip"]"#, after: 3)).hasNewestConsensus)
        #expect(try !analysis(consensus: consensus(all, failed: "[]", after: 4)).hasNewestConsensus)
        #expect(try !analysis(consensus: consensus(#"["blip"]"#, failed: #"["clip"]"#, after: 4)).hasNewestConsensus)
        for none in [nil, "{}", "[]", #"{"services_list":7}"#] {
            #expect(try !analysis(consensus: none).hasNewestConsensus)
        }
    }

    @Test(
        "are those that lack, those that have failed, those that saw nothing, all, or those that are named",
        arguments: [
            (.missing, ["ocr"]), (.failed, ["clip"]), (.empty, ["colors"]), (.all, ImageAnalysisTests.expected),
            (.services(["ocr", "blip"]), ["ocr", "blip"]),
        ] as [(ImageRerun, [String])])
    func rerun(_ rerun: ImageRerun, _ services: [String]) throws {
        let targets = try rerun.targets(of: try analysis(), expecting: ImageAnalysisTests.expected, directory)
        #expect(targets.map(\.service) == services)
        #expect(targets.map(\.queue) == services.map { "queue_\($0)" })
    }

    @Test("are never those that nobody knows")
    func unknown() throws {
        #expect(throws: OperationFault.self) {
            try ImageRerun.services(["blip", "nobody"]).targets(of: try analysis(), expecting: [], directory)
        }
        // A service that was taken out of the configuration, and has failed before.
        let without = ServiceDirectory(configured: Array(directory.configured.prefix(1)), catalogue: [])
        #expect(try ImageRerun.failed.targets(of: try analysis(), expecting: ["blip"], without).isEmpty)
    }
}
