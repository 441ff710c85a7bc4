@testable import RabbitMQ
import Testing

@Suite("The bookkeeping of confirms and acknowledgements")
struct RabbitMQBookkeepingTests {
    @Test("confirms settle one tag, or all up to one, each once")
    func window() {
        var window = Window<String>()
        for text in ["a", "b", "c", "d", "e"] { window.append(text) }
        #expect(window.settle(2, multiple: false) == ["b"])
        #expect(window.settle(2, multiple: false) == [])
        #expect(window.settle(3, multiple: true) == ["a", "c"])
        #expect(window.settle(1, multiple: true) == [])
        #expect(window.settle(99, multiple: false) == [])
        window.updateFirst(where: { $0 == "e" }, { $0 = "E" })
        #expect(window.count == 2)
        #expect(window.reset() == ["d", "E"])
        window.append("again")
        #expect(window.lastTag == 1)
        #expect(window.settle(0, multiple: true) == ["again"])
    }

    @Test("what is settled without a gap from the first is said in one word, the rest one by one")
    func unsettled() {
        var unsettled = Unsettled<String>()
        for tag: UInt64 in 1...8 { unsettled.append(tag, "") }
        #expect(unsettled.settle([3, 3, 77]) == [Acknowledgement(tag: 3, multiple: false)])
        #expect(
            unsettled.settle([1, 2, 4, 6]) == [
                Acknowledgement(tag: 4, multiple: true), Acknowledgement(tag: 6, multiple: false),
            ])
        #expect(unsettled.settle([1, 2, 3]) == [])
        #expect(unsettled.settle([5]) == [Acknowledgement(tag: 5, multiple: true)])
        #expect(unsettled.settle([8, 7]) == [Acknowledgement(tag: 8, multiple: true)])
        #expect(unsettled.count == 0)
    }

    @Test("acknowledgements that gather are said in one word where one covers the other")
    func acknowledgements() {
        var acknowledgements = Acknowledgements()
        acknowledgements.add(1, [Acknowledgement(tag: 3, multiple: false)])
        acknowledgements.add(3, [Acknowledgement(tag: 4, multiple: true), Acknowledgement(tag: 6, multiple: false)])
        #expect(acknowledgements.count == 4)
        #expect(
            acknowledgements.takeAll() == [
                Acknowledgement(tag: 4, multiple: true), Acknowledgement(tag: 6, multiple: false),
            ])
        #expect(acknowledgements.takeAll() == [])
    }

    @Test("first in is first out, over many")
    func fifo() {
        var fifo = Fifo<Int>()
        var taken: [Int] = []
        for start in stride(from: 0, to: 3000, by: 3) {
            fifo.append(contentsOf: start..<start + 3)
            for _ in 0..<2 { if let next = fifo.popFirst() { taken.append(next) } }
        }
        let last = taken.removeLast()
        fifo.prepend(contentsOf: [last])
        fifo.removeAll { $0 == 2999 }
        while let next = fifo.popFirst() { taken.append(next) }
        #expect(taken == Array(0..<2999))
        #expect(fifo.isEmpty && fifo.count == 0)
    }
}
