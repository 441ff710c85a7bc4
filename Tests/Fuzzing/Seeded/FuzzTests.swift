import Foundation
import Testing

/// Seeded mutations of the corpora, ten thousand for each entry point: what `make fuzz` does by the million, guided by
/// coverage and under the address sanitizer. FARM_SEED replays a run; FARM_FUZZ_INPUTS sets how many there are, FARM_FUZZ_ENTRY for which entry point.
@Suite("Fuzzing")
struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["FARM_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    private static let inputs = environment["FARM_FUZZ_INPUTS"].flatMap { Int($0) } ?? 10_000

    private static let names = environment["FARM_FUZZ_ENTRY"].map { [$0] } ?? EntryPoint.all.map(\.name)

    @Test("No input crashes, hangs or breaks a promise", arguments: names)
    func mutations(_ name: String) async throws {
        let entry = try #require(EntryPoint.all.first { $0.name == name })
        let corpus = try Corpus(of: entry)
        try #require(!corpus.inputs.isEmpty && !corpus.words.isEmpty)
        let broken = await onThread { FuzzTests.run(entry, corpus) }
        #expect(broken == [], "FARM_SEED=\(FuzzTests.seed)")
    }

    /// A crash takes the process with it: then this file holds the seed and the input.
    private static func run(_ entry: EntryPoint, _ corpus: Corpus) -> [String] {
        let record = FileManager.default.temporaryDirectory.appending(path: "farm-fuzzing-last-\(entry.name)").path
        guard let file = fopen(record, "w") else { return ["\(record) cannot be written"] }
        defer {
            fclose(file)
            unlink(record)
        }
        let head = Array("FARM_SEED=\(seed)\n".utf8)
        var mutator = Mutator(corpus, longest: entry.longest, seed: seed)
        var broken: [String] = []
        for number in 0..<corpus.inputs.count + inputs where broken.count < 5 {
            let input = number < corpus.inputs.count ? corpus.inputs[number] : mutator.next()
            ftruncate(fileno(file), 0)
            pwrite(fileno(file), head + input, head.count + input.count, 0)
            do {
                let time = try processorTime(of: { try entry.take(input) })
                try promise(time < EntryPoint.limit, "takes \(time)")
            } catch {
                broken.append("\(error): \(Data(input).base64EncodedString())")
            }
        }
        return broken
    }
}

/// Entry points block; Swift's own threads are few.
private func onThread<Value: Sendable>(_ work: @Sendable @escaping () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        let thread = Thread { continuation.resume(returning: work()) }
        thread.stackSize = 8 << 20
        thread.start()
    }
}
