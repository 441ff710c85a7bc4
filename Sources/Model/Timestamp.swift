import Foundation

/// Dates as text, always in UTC. A date before the year 0 or after 9999 (a foreign header may hold anything) is written
/// as the nearest date in that range.
public enum Timestamp {
    /// `2026-11-24T08:15:30.250Z` (ISO 8601, milliseconds).
    public static func iso8601(_ date: Date) -> String { text(date, separator: "T") + "Z" }

    /// `2026-11-24 08:15:30.250`, the form in the embedded file.
    public static func sqlite(_ date: Date) -> String { text(date, separator: " ") }

    private static let earliest = -62_167_219_200_000.0
    private static let latest = 253_402_300_799_999.0

    private static func text(_ date: Date, separator: Character) -> String {
        let total = Int(min(max((date.timeIntervalSince1970 * 1000).rounded(), earliest), latest))
        let (days, rest) = total.quotientAndRemainder(dividingBy: 86_400_000)
        let (day, millisecond) = rest < 0 ? (days - 1, rest + 86_400_000) : (days, rest)
        let (year, month, dayOfMonth) = civil(daysSince1970: day)
        var text = padded(year, 4)
        text += "-" + padded(month, 2) + "-" + padded(dayOfMonth, 2)
        text.append(separator)
        text += padded(millisecond / 3_600_000, 2) + ":" + padded(millisecond / 60_000 % 60, 2) + ":"
        text += padded(millisecond / 1000 % 60, 2) + "." + padded(millisecond % 1000, 3)
        return text
    }

    /// The proleptic Gregorian date (Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days). Each job
    /// and each trigger carries a date, and Foundation's formatter would cost more than their JSON.
    private static func civil(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return digits.count < width ? String(repeating: "0", count: width - digits.count) + digits : digits
    }

    /// Reads both forms, with or without fraction, `T` and `Z`. nil for anything else. It is parsed by hand, as it is
    /// written by hand: each admitted job brings a date.
    public static func date(_ text: String) -> Date? {
        var digits = DigitReader(text)
        guard let year = digits.number(4), digits.skip("-"), let month = digits.number(2), digits.skip("-"),
            let day = digits.number(2), digits.skip("T") || digits.skip(" "), let hour = digits.number(2),
            digits.skip(":"), let minute = digits.number(2), digits.skip(":"), let second = digits.number(2)
        else { return nil }
        let fraction: Double
        if digits.skip(".") {
            guard let read = digits.fraction() else { return nil }
            fraction = read
        } else {
            fraction = 0
        }
        _ = digits.skip("Z")
        guard digits.isAtEnd, hour < 24, minute < 60, second < 60, let days = days(year, month, day) else { return nil }
        return Date(timeIntervalSince1970: Double(days * 86_400 + hour * 3600 + minute * 60 + second) + fraction)
    }

    /// The days since 1970 of a date in the proleptic Gregorian calendar (Hinnant, days_from_civil). nil if there is no
    /// such date.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int? {
        guard (1...12).contains(month), day >= 1 else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        // A day that its month does not have would be a day of the next month.
        let back = civil(daysSince1970: days)
        return back.month == month && back.day == day ? days : nil
    }
}

/// Reads digits and separators from the front of a text.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ sign: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == sign.value else { return false }
        rest.removeFirst()
        return true
    }

    /// A number with exactly this many digits.
    mutating func number(_ count: Int) -> Int? {
        var number = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// The digits after the point. Those beyond a nanosecond do not count.
    mutating func fraction() -> Double? {
        var (number, divisor, count) = (0, 1, 0)
        while let digit = digit() {
            count += 1
            guard count <= 9 else { continue }
            (number, divisor) = (number * 10 + digit, divisor * 10)
        }
        return count > 0 ? Double(number) / Double(divisor) : nil
    }

    private mutating func digit() -> Int? {
        guard let first = rest.first, (48...57).contains(first) else { return nil }
        rest.removeFirst()
        return Int(first) - 48
    }
}
