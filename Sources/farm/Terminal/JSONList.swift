/// A JSON array that is printed while it is made.
struct JSONList {
    private var isBegun = false

    /// The next elements, without the end of the array.
    mutating func next(_ elements: [String]) -> String {
        defer { isBegun = true }
        return (isBegun ? "," : "[") + elements.joined(separator: ",\n")
    }

    /// The text that closes the array.
    var end: String { isBegun ? "]" : "[]" }
}
