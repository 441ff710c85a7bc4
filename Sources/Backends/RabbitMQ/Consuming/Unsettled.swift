/// The unsettled deliveries of a channel by tag, handed out or not. Tags come in ascending order, without gaps.
struct Unsettled<Element> {
    /// nil for a delivery that was settled before an older one. The first one is never nil.
    private var elements: [Element?] = []
    private var head = 0
    /// The tag of `elements[head]`.
    private var lowest: UInt64 = 1
    private(set) var count = 0

    var tags: [UInt64] { elements.indices[head...].filter { elements[$0] != nil }.map { lowest + UInt64($0 - head) } }

    subscript(tag: UInt64) -> Element? { index(tag).flatMap { elements[$0] } }

    /// - Parameter tag: the tag after the last one.
    mutating func append(_ tag: UInt64, _ element: Element) {
        if head == elements.count { (elements, head, lowest) = ([], 0, tag) }
        elements.append(element)
        count += 1
    }

    /// Removes deliveries, and returns how to say so in few words. Unknown tags are left out.
    mutating func settle(_ tags: some Sequence<UInt64>) -> [Acknowledgement] {
        var settled: [UInt64] = []
        for tag in tags {
            guard let index = index(tag), elements[index] != nil else { continue }
            elements[index] = nil
            settled.append(tag)
        }
        count -= settled.count
        assert(count >= 0, "no more deliveries are settled than came")
        while head < elements.count, elements[head] == nil {
            head += 1
            lowest += 1
        }
        if head > 512 && head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        // Everything below the lowest tag is settled, now or before.
        let last = settled.filter { $0 < lowest }.max()
        let rest = settled.filter { $0 >= lowest }.sorted().map { Acknowledgement(tag: $0, multiple: false) }
        return (last.map { [Acknowledgement(tag: $0, multiple: true)] } ?? []) + rest
    }

    private func index(_ tag: UInt64) -> Int? {
        guard tag >= lowest, tag - lowest < UInt64(elements.count - head) else { return nil }
        return head + Int(tag - lowest)
    }
}
