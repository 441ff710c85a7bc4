import Foundation
import Model
import Testing

@testable import Settings

@Suite("service_config.json: merging and voting")
struct MergingVotingTests {
    @Test("every parameter is read, and has its default")
    func parameters() throws {
        let text = """
            {"services": {}, "merging": {"merge_iou": 1, "duplicate_iou": 0.6, "keep_iou": 0.8, "lone_confidence": 0,
              "min_confidence": 1, "synonyms": {" Big   CAT ": "Tiger", "BIG CAT": "tiger"}}, "voting": {"min_votes": 1}}
            """
        let services = try machine(text).load().services
        #expect(
            services.merging
                == MergingSettings(
                    mergeIoU: 1, duplicateIoU: 0.6, keepIoU: 0.8, loneConfidence: 0, minConfidence: 1,
                    synonyms: ["big cat": "tiger"]))
        #expect(services.voting == VotingSettings(minVotes: 1))
        let defaults = try machine(#"{"services": {}, "merging": {}, "voting": {}}"#).load().services
        #expect(
            defaults.merging
                == MergingSettings(
                    mergeIoU: 0.5, duplicateIoU: 0.7, keepIoU: 0.9, loneConfidence: 0.85, minConfidence: 0.25,
                    synonyms: [:]))
        #expect(defaults.voting == VotingSettings(minVotes: 2))
    }

    static let bad: [(String, String)] = [
        (#""merging": {"merge_iou": 0}"#, "merging.merge_iou: must be a number, above 0, at most 1, is 0"),
        (#""merging": {"duplicate_iou": 1.1}"#, "merging.duplicate_iou: must be a number, above 0, at most 1, is 1.1"),
        (#""merging": {"keep_iou": "0.9"}"#, "merging.keep_iou: must be a number, above 0, at most 1, is a string"),
        (#""merging": {"lone_confidence": -0.1}"#, "merging.lone_confidence: must be a number, 0…1, is -0.1"),
        (#""merging": {"min_confidence": 2}"#, "merging.min_confidence: must be a number, 0…1, is 2"),
        (#""merging": {"synonyms": []}"#, "merging.synonyms: must be an object, is an array"),
        (#""merging": {"synonyms": {"cat": 1}}"#, "merging.synonyms.cat: must be a string, is a number"),
        (#""merging": {"synonyms": {"cat": " "}}"#, "merging.synonyms.cat: a label must not be empty"),
        (
            #""merging": {"synonyms": {"cat": "a", "CAT": "b"}}"#,
            "merging.synonyms.CAT: is given twice, with different labels"
        ),
        (#""merging": 1"#, "merging: must be an object, is a number"),
        (#""voting": {"min_votes": 0}"#, "voting.min_votes: must be 1…1000, is 0"),
        (#""voting": {"min_votes": 1.5}"#, "voting.min_votes: must be 1…1000, is 1.5"),
        (#""voting": []"#, "voting: must be an object, is an array"),
    ]

    @Test("a value out of range is a fault that names its place", arguments: bad)
    func outOfRange(_ section: String, _ fault: String) throws {
        #expect(try machine(#"{"services": {}, \#(section)}"#).faults() == ["service_config.json: \(fault)"])
    }
}

@Suite("service_config.json: crop services")
struct EnrichmentSettingsTests {
    @Test("are those that the list names, else those of the file, and all where it names none")
    func chosen() throws {
        func crops(_ text: String) throws -> [String] { try machine(text).load().services.cropServices }
        #expect(try crops(#"{"services": {"blip": {}}}"#).sorted() == all.sorted())
        #expect(try crops(#"{"services": {"blip": {}, "colors": {}}}"#) == ["colors"])
        #expect(try crops(#"{"services": {"pose": {"work": false}}}"#) == ["pose"])
        #expect(try crops(#"{"services": {"colors": {}, "pose": {}}, "enrichment": []}"#).isEmpty)
        #expect(try crops(#"{"services": {}, "enrichment": ["colors", "colors"]}"#) == ["colors"])
        #expect(try Set(Machine().load().services.cropServices) == Set(all))
    }

    private let all = ["face", "pose", "colors"]

    static let bad: [(String, String)] = [
        (#"{}"#, "must be a list of services, is an object"), (#"[1]"#, "must be a list of services, holds a number"),
        (#"["clip"]"#, "holds \"clip\""),
    ]

    @Test("a list of anything else is a fault that names its place", arguments: bad)
    func faults(_ value: String, _ fault: String) throws {
        let faults = try machine(#"{"services": {}, "enrichment": \#(value)}"#).faults()
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix("service_config.json: enrichment: ") == true)
        #expect(faults.first?.hasSuffix(fault) == true, "\(faults)")
    }
}
