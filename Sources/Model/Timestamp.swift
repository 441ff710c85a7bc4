import Foundation

/// Dates as text, always in UTC. What lies before the year 0 or after 9999 (a foreign header may hold anything) is written
/// as the nearest that does not.
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

    /// The proleptic Gregorian date (Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
    /// A job and its trigger each carry a date; Foundation's formatter would cost more than their JSON.
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

    /// Reads both forms, with or without fraction, `T` and `Z`; nil for anything else.
    public static func date(_ text: String) -> Date? {
        let body = text.hasSuffix("Z") ? text.dropLast() : text[...]
        let parts = body.split(whereSeparator: { $0 == "T" || $0 == " " })
        guard parts.count == 2 else { return nil }
        return try? Date(
            "\(parts[0])T\(parts[1])Z",
            strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: parts[1].contains(".")))
    }
}
