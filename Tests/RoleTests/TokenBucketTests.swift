import Foundation
import Model
import Pipeline
import Testing

@Suite("A bucket of tokens")
struct TokenBucketTests {
    private let start = Date(timeIntervalSince1970: 1_790_000_000)

    @Test("gives what has come in, in blocks, and says how long to wait for the next one")
    func blocks() {
        var bucket = TokenBucket(tokens: 0, refilled: start)
        #expect(bucket.lease(4, returning: 0, rate: 20, at: start) == .wait(.milliseconds(50)))
        let later = start.addingTimeInterval(0.1)
        #expect(bucket.lease(4, returning: 0, rate: 20, at: later) == .granted(2))
        // A quarter of a second's at most, so that little is lost with a worker that dies.
        let full = start.addingTimeInterval(10)
        #expect(bucket.lease(99, returning: 0, rate: 20, at: full) == .granted(5))
        #expect(bucket.lease(3, returning: 0, rate: 20, at: full) == .granted(3))
        guard case .wait(let wait) = TokenBucket(tokens: 0.5, refilled: start).leasing(1, rate: 0.1, at: start) else {
            Issue.record("half a token is none")
            return
        }
        #expect(wait == .seconds(5))
    }

    @Test("is full again within a second of a worker's death, whatever that had leased")
    func death() {
        var bucket = TokenBucket(tokens: 20, refilled: start)
        #expect(bucket.lease(5, returning: 0, rate: 20, at: start) == .granted(5))
        var granted = 0
        while case .granted(let count) = bucket.lease(5, returning: 0, rate: 20, at: start.addingTimeInterval(1)) {
            granted += count
        }
        #expect(granted == 20)
    }

    @Test("neither gains nor loses by a clock that is set back")
    func clock() {
        var bucket = TokenBucket(tokens: 3, refilled: start)
        #expect(bucket.lease(1, returning: 0, rate: 1, at: start.addingTimeInterval(-3600)) == .granted(1))
        #expect(bucket.tokens <= 3)
        #expect(bucket.refilled == start.addingTimeInterval(-3600))
    }
}

extension TokenBucket {
    fileprivate func leasing(_ count: Int, rate: Double, at now: Date) -> TokenLease {
        var bucket = self
        return bucket.lease(count, returning: 0, rate: rate, at: now)
    }
}
