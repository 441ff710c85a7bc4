/// A name that the system gives as bytes, such as a file's. It may be no valid text.
public struct UncheckedName: Sendable, Equatable {
    /// What messages say about a name that is not text.
    public static let fault = "the name is not UTF-8, which the tables require: rename it"

    /// The name, without the zero byte that ends it.
    public let bytes: [UInt8]

    /// Copies the bytes up to the zero byte.
    public init(_ start: UnsafePointer<CChar>) {
        var end = start
        while end.pointee != 0 { end += 1 }
        bytes = start.withMemoryRebound(to: UInt8.self, capacity: end - start) {
            Array(UnsafeBufferPointer(start: $0, count: end - start))
        }
    }

    /// The text, if it is UTF-8.
    public var text: String? { String(validating: bytes, as: UTF8.self) }

    /// The name for people. Bytes that are not UTF-8 become `\xff`.
    public var shown: String { bytes.printable }
}
