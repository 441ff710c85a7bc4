/// A first-in, first-out queue, in constant time for each element.
struct Fifo<Element> {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }

    mutating func append(_ new: Element) { elements.append(new) }

    mutating func append(contentsOf new: some Sequence<Element>) { elements.append(contentsOf: new) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        head += 1
        if head > 512 && head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Puts these before all others.
    mutating func prepend(contentsOf new: [Element]) {
        elements = new + elements[head...]
        head = 0
    }

    mutating func removeAll(where shouldBeRemoved: (Element) -> Bool) {
        elements = elements[head...].filter { !shouldBeRemoved($0) }
        head = 0
    }
}
