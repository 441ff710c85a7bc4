import Doubles
import Synchronization

/// All chance of a run, drawn from its seed.
final class Dice: Sendable {
    private let generator: Mutex<SplitMix64>

    init(seed: UInt64) { generator = Mutex(SplitMix64(seed: seed)) }

    func bits() -> UInt64 { generator.withLock { $0.next() } }

    /// 0..<1.
    func unit() -> Double { Double(bits() >> 11) * 0x1p-53 }

    func happens(_ probability: Double) -> Bool { probability > 0 && unit() < probability }

    /// 0..<count.
    func below(_ count: Int) -> Int { Int(bits() % UInt64(max(count, 1))) }

    func whole(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var rest = elements
        return elements.indices.map { _ in rest.remove(at: below(rest.count)) }
    }

    /// Many short ones, a few long ones; at least a millisecond.
    func time(around mean: VirtualTime) -> VirtualTime {
        let unit = unit()
        return max(
            .milliseconds(1), VirtualTime(microseconds: Int64(Double(mean.microseconds) * 2 * unit * unit * 1.5)))
    }
}

/// Mixes a few numbers into one: what a service sees in a picture depends on the two alone, never on when it is asked.
func mixed(_ numbers: UInt64...) -> UInt64 {
    numbers.reduce(0x9E37_79B9_7F4A_7C15) { sum, number in
        var generator = SplitMix64(seed: sum ^ number)
        return generator.next()
    }
}
