/// The ids of a trace and of a span in it, as they are passed on: the header `traceparent` of W3C Trace Context, level
/// 1.
public struct TraceContext: Sendable, Hashable {
    /// The trace: 16 bytes, not all zero.
    public var traceID: SIMD2<UInt64>
    /// The span; not zero.
    public var spanID: UInt64
    /// Whether the span is recorded.
    public var isSampled: Bool

    package init(traceID: SIMD2<UInt64>, spanID: UInt64, isSampled: Bool) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
    }

    /// The name of the header.
    public static let header = "traceparent"

    /// Reads a header. nil if it is malformed, which counts as no header. Of future versions it reads the fields that
    /// are known, as the recommendation says.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        let dash = UInt8(ascii: "-")
        guard bytes.count == 55 || (bytes.count > 55 && bytes[55] == dash), bytes[2] == dash, bytes[35] == dash,
            bytes[52] == dash, let version = TraceContext.number(bytes[0..<2]), version != 255,
            version != 0 || bytes.count == 55, let high = TraceContext.number(bytes[3..<19]),
            let low = TraceContext.number(bytes[19..<35]), let span = TraceContext.number(bytes[36..<52]),
            let flags = TraceContext.number(bytes[53..<55]), high != 0 || low != 0, span != 0
        else { return nil }
        self.init(traceID: SIMD2(high, low), spanID: span, isSampled: flags & 1 == 1)
    }

    /// The value of the header.
    public var text: String { "00-\(traceText)-\(spanText)-\(isSampled ? "01" : "00")" }

    /// The trace as 32 hexadecimal digits.
    public var traceText: String { TraceContext.hexadecimal(traceID.x) + TraceContext.hexadecimal(traceID.y) }

    /// The span as 16 hexadecimal digits.
    public var spanText: String { TraceContext.hexadecimal(spanID) }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Reads lower-case hexadecimal digits only.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            number = number << 4 | UInt64(value)
        }
        return number
    }
}
