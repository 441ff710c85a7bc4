import Foundation
import Model

extension FleetControl.PauseEnd {
    /// Reads a time: `2026-12-01 18:00`, with seconds or not, with `T`, `Z` or an offset such as `+01:00` or not; a date alone,
    /// which is its first moment; or `18:00`, which is the next one. Without an offset it is in UTC.
    /// - Parameter now: what `18:00` comes after.
    /// - Throws: `OperationFault` that says how a time is written.
    package init(time text: String, now: Date) throws(OperationFault) {
        guard let date = FleetControl.PauseEnd.date(text, now: now) else {
            throw .unusable(
                "\(text.printable(upTo: 60)) is no time: one is written as 2026-12-01 18:00, in UTC, or 18:00 for the next one"
            )
        }
        self = .at(date)
    }

    private static func date(_ text: String, now: Date) -> Date? {
        guard text.utf8.count <= 40 else { return nil }
        let (local, offset) = split(text)
        let today = Timestamp.sqlite(now).prefix(10)
        switch local.utf8.count {
        case 5:
            guard let time = Timestamp.date("\(today) \(local):00")?.addingTimeInterval(-offset) else { return nil }
            let days = ((now.timeIntervalSince(time)) / 86_400).rounded(.down) + 1
            return time.addingTimeInterval(days * 86_400)
        case 10: return Timestamp.date("\(local) 00:00:00")?.addingTimeInterval(-offset)
        case 16: return Timestamp.date("\(local):00")?.addingTimeInterval(-offset)
        default: return Timestamp.date(local)?.addingTimeInterval(-offset)
        }
    }

    /// - Returns: the text without `Z` or offset, and the offset in seconds.
    private static func split(_ text: String) -> (local: String, offset: TimeInterval) {
        if text.hasSuffix("Z") { return (String(text.dropLast()), 0) }
        let tail = text.suffix(6)
        // The last hyphen of a date has no colon behind it.
        guard tail.utf8.count == 6, let sign = tail.first, sign == "+" || sign == "-", text.utf8.count > 10 else {
            return (text, 0)
        }
        let parts = tail.dropFirst().split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 2, let hours = parts[0], let minutes = parts[1], (0...15).contains(hours),
            (0..<60).contains(minutes)
        else { return (text, 0) }
        let offset = hours * 3600 + minutes * 60
        return (String(text.dropLast(6)), sign == "+" ? offset : -offset)
    }
}
