/// What was sent and is not confirmed, by tag. The broker confirms one tag, or all tags up to one.
struct Window<Element> {
    private var elements: [UInt64: Element] = [:]
    private var lowest: UInt64 = 1
    private(set) var lastTag: UInt64 = 0

    var count: Int { elements.count }

    /// Gives the element the next tag, as the broker does.
    mutating func append(_ element: Element) {
        lastTag += 1
        elements[lastTag] = element
    }

    /// Removes what is confirmed. An unknown tag is ignored.
    mutating func settle(_ tag: UInt64, multiple: Bool) -> [Element] {
        guard multiple else { return elements.removeValue(forKey: tag).map { [$0] } ?? [] }
        // Tag 0 means all.
        let last = tag == 0 ? lastTag : min(tag, lastTag)
        guard last >= lowest else { return [] }
        assert(last <= lastTag, "nothing is confirmed before it is sent")
        defer { lowest = last + 1 }
        return (lowest...last).compactMap { elements.removeValue(forKey: $0) }
    }

    /// Changes the first element, in the order of sending, that meets a condition.
    mutating func updateFirst(where isMeant: (Element) -> Bool, _ change: (inout Element) -> Void) {
        guard lowest <= lastTag else { return }
        for tag in lowest...lastTag {
            guard var element = elements[tag], isMeant(element) else { continue }
            change(&element)
            elements[tag] = element
            return
        }
    }

    /// Forgets everything, and begins with tag 1 again, as a new channel does.
    /// - Returns: what was not confirmed, in the order of sending.
    mutating func reset() -> [Element] {
        defer { self = Window() }
        return elements.sorted { $0.key < $1.key }.map(\.value)
    }
}
