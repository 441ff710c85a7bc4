import Pipeline

/// The messages of one call of `Publisher.publish`, and their answers.
final class Batch {
    /// How many have no answer yet.
    private(set) var rest: Int
    /// How many of these were not sent yet.
    var unsent: Int {
        didSet { assert((0...rest).contains(unsent), "what is not sent yet has no answer either") }
    }
    var lastProgress = ContinuousClock.now
    let patience: Duration
    private var isOpen: [Bool]
    private var refused: [Int: Refused] = [:]
    private var continuation: CheckedContinuation<[Int: Refused], Never>?

    init(_ count: Int, _ patience: Duration, _ continuation: CheckedContinuation<[Int: Refused], Never>) {
        (rest, unsent, isOpen) = (count, count, Array(repeating: true, count: count))
        self.patience = patience
        self.continuation = continuation
    }

    var isOver: Bool { continuation == nil }

    /// Notes that a message is in its queue, or is not.
    func answer(_ place: Int, _ refusal: Refused?) {
        guard isOpen[place] else { return }
        isOpen[place] = false
        rest -= 1
        assert(unsent <= rest, "an answer is about a message that was sent")
        refused[place] = refusal
        lastProgress = .now
        if rest == 0 { resume() }
    }

    /// Ends the batch: messages without an answer will get none.
    func end(_ fault: PortFault) {
        for place in isOpen.indices where isOpen[place] { refused[place] = .fault(fault) }
        resume()
    }

    private func resume() {
        continuation?.resume(returning: refused)
        continuation = nil
    }
}
