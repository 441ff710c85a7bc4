import Operations
import Pipeline

extension CommandFailure {
    /// How many lines are shown. Nobody reads more.
    private static let longest = 20

    /// Reports what is left undone, and what has failed for good meanwhile. If there is anything, the command has
    /// failed.
    /// - Parameter mark: the beginning.
    static func check(undone: [String], in store: any Reports, since mark: FailureMark) async throws {
        do {
            try check(undone: undone, failures: try await store.failures(since: mark))
        } catch let fault as PortFault {
            // The work may be undone because the store is away.
            try check(undone: undone, failures: [])
            throw fault
        }
    }

    private static func check(undone: [String], failures: [FailureReport]) throws {
        let lines = undone + failures.map(\.line)
        guard !lines.isEmpty else { return }
        for line in lines.prefix(longest) { Terminal.error("farm: \(line)") }
        if lines.count > longest { Terminal.error("farm: and \(lines.count - longest) more such lines") }
        guard undone.isEmpty else {
            throw failed(
                "not everything is done, and waiting jobs are kept: fix that, then run farm up or the same command again"
            )
        }
        throw failed(
            "some work has failed for good: farm show IMAGE says why; farm enrich --image ID, or farm produce --resume --failed, "
                + "tries again")
    }
}

extension CommandFailure {
    /// Reports what was left out because it has failed for good.
    static func tell(skipped: [String: Int]) {
        let count = skipped.values.reduce(0, +)
        guard count > 0 else { return }
        let services = skipped.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let verb = count == 1 ? "has" : "have"
        Terminal.error(
            "farm: \(counted(count, "job")) not submitted that \(verb) failed for good (\(services)); --failed submits them, too"
        )
    }
}

extension FailureReport {
    /// `12 boxes without colors (image): image 5: /photos/5.jpg: …`.
    fileprivate var line: String {
        let what =
            isOfBoxes ? "\(counted(count, "box")) without \(service)" : "\(counted(count, "job")) of \(service) failed"
        return Terminal.harmless("\(what) (\(kind)): image \(imageID): \(message)")
    }
}
