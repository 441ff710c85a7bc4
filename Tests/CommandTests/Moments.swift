import Foundation

/// Random moments by SplitMix64 (Steele, Lea, Flood 2014): a seed, which FARM_SEED may give, yields the same again.
struct Moments {
    let seed: UInt64
    private var state: UInt64

    init(_ name: String) {
        seed =
            ProcessInfo.processInfo.environment["FARM_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        state = seed
        print("\(name): FARM_SEED=\(seed)")
    }

    mutating func next(_ range: ClosedRange<Double>) -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return range.lowerBound + Double(z >> 11) / Double(1 << 53) * (range.upperBound - range.lowerBound)
    }
}
