/// Changes inputs at random: the same ones for the same seed.
struct Mutator {
    private let corpus: Corpus
    private let longest: Int
    private var generator: SplitMix64

    init(_ corpus: Corpus, longest: Int, seed: UInt64) {
        self.corpus = corpus
        self.longest = longest
        generator = SplitMix64(seed: seed)
    }

    /// One of the corpus with one to eight changes: bits and bytes set, pieces cut out, doubled, moved in from another
    /// input, words put in.
    mutating func next() -> [UInt8] {
        var input = corpus.inputs.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...8, using: &generator) { change(&input) }
        return Array(input.prefix(longest))
    }

    private mutating func change(_ input: inout [UInt8]) {
        let start = Int.random(in: 0...input.count, using: &generator)
        let end = min(input.count, start + Int.random(in: 0...16, using: &generator))
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: input.removeSubrange(start..<end)
        case 1: input.insert(contentsOf: input[start..<end], at: start)
        case 2: input.insert(UInt8.random(in: 0...255, using: &generator), at: start)
        case 3: input.insert(contentsOf: corpus.words.randomElement(using: &generator) ?? [], at: start)
        case 4: input.replaceSubrange(start..<end, with: corpus.words.randomElement(using: &generator) ?? [])
        case 5:
            let other = corpus.inputs.randomElement(using: &generator) ?? []
            let from = Int.random(in: 0...other.count, using: &generator)
            input.replaceSubrange(start..<end, with: other[from..<min(other.count, from + 64)])
        case 6 where start < end: input[start] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        default:
            let telling: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF]
            if start < end { input[start] = telling.randomElement(using: &generator) ?? 0 }
        }
    }
}

/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014): the same numbers from the same seed.
private struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
