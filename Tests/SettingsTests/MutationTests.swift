import Foundation
import Testing

@testable import Settings

/// Files that went wrong: whatever they hold, loading ends with settings or with faults, and keeps the secrets.
@Suite("Mutated files")
struct MutationTests {
    private static let pieces: [String] = [
        "'", "\"", "\\", "\n", "\r\n", "=", "#", " ", "\u{0}", "\u{FEFF}", "{", "}", "[", "]", ",", ":", "null", "true",
        "1e999", "-1", "99999999999999999999", "\"\"", "\u{1B}", "🙂", "export ", "QUEUE_HOST=", "\"services\"",
        "\"blip\"",
    ]

    /// One to eight changes: bytes replaced, cut out, doubled, or pieces put in.
    private func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let start = Int.random(in: 0...bytes.count, using: &generator)
            let end = min(bytes.count, start + Int.random(in: 0...12, using: &generator))
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes.removeSubrange(start..<end)
            case 1: bytes.insert(contentsOf: bytes[start..<end], at: start)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: start)
            case 3: bytes.insert(contentsOf: (Self.pieces.randomElement(using: &generator) ?? "").utf8, at: start)
            default: if start < end { bytes[start] = UInt8.random(in: 0...255, using: &generator) }
            }
        }
        return bytes
    }

    private func check(_ machine: Machine, _ seed: UInt64, _ round: Int) {
        do throws(SettingsFault) {
            let settings = try machine.load()
            #expect(!"\(settings)".contains("your_secure"), "seed \(seed), round \(round)")
            #expect(settings.services.services.allSatisfy { (1...65_535).contains($0.port) })
        } catch {
            #expect(!error.faults.isEmpty, "seed \(seed), round \(round)")
            #expect(!error.description.contains("your_secure"), "seed \(seed), round \(round)")
            let isPlain = error.faults.allSatisfy { !$0.unicodeScalars.contains { $0.value < 0x20 } }
            #expect(isPlain, "seed \(seed), round \(round)")
        }
    }

    @Test("no .env crashes it or gives its passwords away", arguments: [11, 12])
    func environmentFile(_ seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let machine = try Machine()
        for round in 0..<1500 {
            try machine.write(Data(mutated(Array(GuideTests.environment.utf8), &generator)), to: ".env")
            check(machine, seed, round)
        }
    }

    @Test("no service_config.json crashes it", arguments: [21, 22])
    func configuration(_ seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let machine = try Machine()
        let full = """
            {"services": {"seal": {"host": "::1", "port": 8000, "endpoint": "/v2", "category": "spatial_only",
              "evidence": "semantic", "queue_prefix": "t_", "timeout": 1.5, "max_retries": 5, "retry_delay": 0,
              "concurrency": 9, "work": false, "transport": "url", "accepts": ["image/heic"]}, "consensus": {"port": 0}},
              "merging": {"merge_iou": 0.5, "synonyms": {"cat": "tiger"}}, "voting": {"min_votes": 2}}
            """
        for round in 0..<1500 {
            try machine.write(Data(mutated(Array(full.utf8), &generator)), to: "service_config.json")
            check(machine, seed, round)
        }
    }
}
