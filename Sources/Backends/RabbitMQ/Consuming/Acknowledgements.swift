/// Acknowledgements that have not been sent yet, in few words.
struct Acknowledgements {
    private(set) var count = 0
    private var upTo: UInt64?
    private var single: [UInt64] = []

    mutating func add(_ tags: Int, _ verdicts: [Acknowledgement]) {
        count += tags
        for verdict in verdicts {
            if verdict.multiple {
                assert(upTo ?? 0 < verdict.tag, "all up to a tag are acknowledged once: the tag only grows")
                upTo = verdict.tag
                single.removeAll { $0 <= verdict.tag }
            } else {
                single.append(verdict.tag)
            }
        }
    }

    mutating func takeAll() -> [Acknowledgement] {
        defer { self = Acknowledgements() }
        return (upTo.map { [Acknowledgement(tag: $0, multiple: true)] } ?? [])
            + single.map { Acknowledgement(tag: $0, multiple: false) }
    }
}

/// A verdict in the form that the broker takes: on one tag, or on all tags up to one.
struct Acknowledgement: Equatable {
    var tag: UInt64
    var multiple: Bool
}
