import Doubles
import Foundation
import Model
import Testing

@Suite("Times as text")
struct TimestampTests {
    @Test("a time stays itself, and means what Foundation takes it for")
    func roundTrip() throws {
        let foundation = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        var random = SplitMix64(seed: 20)
        for _ in 0..<5000 {
            // From 1600, since Foundation takes older dates as Julian, to 9999.
            let milliseconds = Double(Int.random(in: -11_676_096_000_000...253_402_300_799_999, using: &random))
            let date = Date(timeIntervalSince1970: milliseconds / 1000)
            let text = Timestamp.iso8601(date)
            let read = try #require(Timestamp.date(text), "\(text)")
            #expect(Timestamp.iso8601(read) == text)
            #expect(abs(read.timeIntervalSince(try Date(text, strategy: foundation))) < 0.001, "\(text)")
            #expect(Timestamp.date(Timestamp.sqlite(date)) == read)
        }
    }

    @Test("a leap day is one only in a leap year")
    func leapDays() {
        #expect(Timestamp.date("2024-02-29T00:00:00Z") == Date(timeIntervalSince1970: 1_709_164_800))
        #expect(Timestamp.date("2000-02-29 12:00:00") != nil)
        #expect(Timestamp.date("2023-02-29T00:00:00Z") == nil)
        #expect(Timestamp.date("1900-02-29T00:00:00Z") == nil)
    }

    @Test(
        "what is no time is none",
        arguments: [
            "", "Z", "2026-11-30", "2026-11-30T", "2026-11-30T10:00", "2026-11-30T10:00:00.Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00ZZ",
            "26-01-01T00:00:00Z", "-026-01-01T00:00:00Z", "２０２６-01-01T00:00:00Z", "2026-01-01T00:00:00.1x",
        ])
    func refused(text: String) { #expect(Timestamp.date(text) == nil) }
}
