import Foundation
import Logging
import Pipeline
import Waiting

/// Says once of each pause that it is why work does not go on.
struct PauseNotice {
    /// Workers look no more often either.
    private static let validity: TimeInterval = 2

    private var sheet: ControlSheet?
    private var asked = Date.distantPast
    /// When the pauses were set that were told, by service.
    private var told: [String: Date] = [:]

    /// - Parameter names: the services and roles that work waits for.
    /// - Returns: those that are paused, sorted. While that cannot be read, what was read last.
    mutating func look(
        at names: [String], in records: any ControlRecords, _ log: Logger, _ time: any Timekeeper
    ) async -> [String] {
        guard !names.isEmpty else { return [] }
        // A wall clock that is set back must not make the wait longer.
        if abs(time.now().timeIntervalSince(asked)) > PauseNotice.validity {
            asked = time.now()
            if let new = try? await records.control() { sheet = new }
        }
        guard let sheet else { return [] }
        let paused = Set(names).sorted().filter { sheet[$0].isPaused }
        for name in paused where told[name] != sheet[name].setAt {
            told[name] = sheet[name].setAt
            log.warning("\(name) is \(sheet[name].pauseText ?? "paused"); its work waits until farm resume \(name)")
        }
        return paused
    }
}
