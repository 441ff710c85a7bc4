/// A text as a dictionary key, compared by its Unicode scalars. For `String`, canonically equivalent texts are equal,
/// so the order of the input would decide which of them is kept.
struct ExactText: Hashable {
    var text: String

    init(_ text: String) { self.text = text }

    static func == (left: ExactText, right: ExactText) -> Bool { left.text.isExactly(right.text) }

    func hash(into hasher: inout Hasher) {
        let contiguous: Void? = text.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if contiguous == nil {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}

extension String {
    /// Whether both have the same Unicode scalars.
    func isExactly(_ other: String) -> Bool {
        let (mine, others) = (utf8, other.utf8)
        guard mine.count == others.count else { return false }
        let isEqual = mine.withContiguousStorageIfAvailable { mine in
            others.withContiguousStorageIfAvailable { mine.elementsEqual($0) }
        }
        return (isEqual ?? nil) ?? mine.elementsEqual(others)
    }

    /// Whether it comes first by Unicode scalars, which is the order of the bytes in UTF-8. Locales do not matter.
    func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

/// Each text once, in ascending order of Unicode scalars.
func sortedDistinct(_ texts: some Sequence<String>) -> [String] {
    var distinct: [String] = []
    for text in texts.sorted(by: { $0.precedes($1) }) where distinct.last?.isExactly(text) != true {
        distinct.append(text)
    }
    return distinct
}
