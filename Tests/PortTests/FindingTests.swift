import Pipeline
import Testing

@Suite("A server's clock against this machine's")
struct FindingTests {
    @Test("is told when they are over two seconds apart, not when the answer took long")
    func skew() {
        func skew(_ clock: Double, _ before: Double = 1000, _ after: Double = 1000.1) -> CheckFinding? {
            CheckFinding.skew("k1", clock: clock, before: before, after: after)
        }
        #expect(skew(1000) == nil)
        #expect(skew(1002) == nil)
        #expect(skew(1002.2)?.grade == .warning)
        #expect(skew(1010.05)?.message.contains("10.0 s ahead of this machine's") == true)
        #expect(skew(990)?.message.contains("behind this machine's") == true)
        #expect(skew(1004, 1000, 1009) == nil, "it may have been read at any moment in between")
    }
}
