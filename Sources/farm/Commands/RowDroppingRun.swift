import Model
import Operations
import Pipeline
import Waiting

/// Deletes rows of many images: counts them, asks, deletes them page by page, and reports.
struct RowDroppingRun {
    let confirmation: Confirmation
    let isDryRun: Bool
    let isJSON: Bool
    /// `Forget 4 results of 2 images?`
    let question: String
    /// What has been done to the rows: `forgotten`.
    let participle: String
    /// The rows, for people.
    let text: (Totals) -> String

    /// - Parameter drain: makes the drain for signals, when no question is open any more.
    /// - Returns: what was deleted, or would be.
    /// - Throws: `PortFault`, `CommandFailure` if the answer is no.
    @discardableResult
    func run(_ dropping: some RowDropping, drain: () -> Drain) async throws -> DroppedRows {
        if isDryRun || !confirmation.yes {
            let there = try await showing("looked at", dropping.pages) { try await dropping.count(progress: $0) }
            if isDryRun {
                report(there)
                return DroppedRows(totals: there)
            }
            try await confirmation.ask("\(question) \(text(there))?")
        }
        let drain = drain()
        var dropped = DroppedRows()
        do {
            try await showing(participle, dropping.pages) {
                try await dropping.run(into: &dropped, drain, progress: $0)
            }
        } catch {
            Terminal.error("farm: \(text(dropped.totals)) \(participle) before it failed; run it again for the rest")
            throw error
        }
        report(dropped.totals)
        if drain.isBegun { Terminal.error("farm: stopped; run it again for the rest") }
        return dropped
    }

    private func showing<Value>(
        _ title: String, _ pages: ImagePages, _ work: ((Int) -> Void) async throws -> Value
    ) async throws -> Value {
        let progress = Progress(title)
        defer { progress.end() }
        return try await work { progress.show($0, of: pages.count) }
    }

    private func report(_ totals: Totals) {
        Terminal.output(
            isJSON
                ? totals.json(isDryRun: isDryRun).text
                : "\(text(totals)) \(isDryRun ? "would be " : "")\(participle)")
    }
}
