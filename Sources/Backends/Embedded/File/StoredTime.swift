import Foundation
import GRDB
import Model

/// Times in the file: `YYYY-MM-DD HH:MM:SS.SSS` UTC. Those of the queue are whole milliseconds since 1970.
enum StoredTime {
    /// The latest time, in the year 3000, so that sums cannot overflow.
    private static let limit = 32_503_680_000.0

    static func text(_ date: Date) -> String { Timestamp.sqlite(clamped(date)) }

    static func milliseconds(_ date: Date) -> Int64 {
        Int64((clamped(date).timeIntervalSince1970 * 1000).rounded())
    }

    static func date(milliseconds: Int64) -> Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    private static func clamped(_ date: Date) -> Date {
        let seconds = date.timeIntervalSince1970
        guard seconds.isFinite else { return Date(timeIntervalSince1970: seconds > 0 ? limit : 0) }
        return Date(timeIntervalSince1970: min(max(seconds, 0), limit))
    }

    /// Reads farm's form and those of other tools: with `T` and `Z`, without fraction, only a date, with an offset from
    /// UTC, or seconds since 1970.
    static func date(_ value: DatabaseValue) -> Date? {
        switch value.storage {
        case .int64(let seconds): date(seconds: Double(seconds))
        case .double(let seconds): date(seconds: seconds)
        case .string(let text): canonical(text) ?? Timestamp.date(text) ?? foreign(text)
        case .null, .blob: nil
        }
    }

    private static func date(seconds: Double) -> Date? {
        seconds.isFinite && abs(seconds) <= limit ? Date(timeIntervalSince1970: seconds) : nil
    }

    /// Reads farm's own form fast, since every row that is voted on has one.
    private static func canonical(_ text: String) -> Date? {
        guard text.utf8.count == 23 else { return nil }
        let digits = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            var number = 0
            for digit in digits[range] {
                guard digit >= 0x30, digit <= 0x39 else { return nil }
                number = number * 10 + Int(digit - 0x30)
            }
            return number
        }
        guard digits[4] == 0x2D, digits[7] == 0x2D, digits[10] == 0x20, digits[13] == 0x3A, digits[16] == 0x3A,
            digits[19] == 0x2E, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let millisecond = number(20..<23), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        return Date(timeIntervalSince1970: Double(seconds * 1000 + millisecond) / 1000)
    }

    /// The days since 1970 of a Gregorian date (Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// days_from_civil).
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func foreign(_ text: String) -> Date? {
        if text.utf8.count == 10 { return Timestamp.date(text + " 00:00:00") }
        guard let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }),
            let local = Timestamp.date(text[..<sign].trimmingCharacters(in: .whitespaces))
        else { return nil }
        let parts = text[text.index(after: sign)...].split(separator: ":").map { Int($0) }
        guard let hours = parts.first ?? nil, let minutes = parts.count > 1 ? parts[1] : 0, hours < 24, minutes < 60
        else {
            return nil
        }
        let offset = Double(hours * 3600 + minutes * 60)
        return local.addingTimeInterval(text[sign] == "+" ? -offset : offset)
    }
}
