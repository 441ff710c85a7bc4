import Foundation
import Model
import Pipeline
import Waiting

/// What `farm check` says about the queues of all machines: which have messages waiting and do not move, and what died
/// recently.
package struct QueueCheck {
    /// How far back dead letters are reported.
    private static let window: TimeInterval = 3600
    /// If there are more letters, they are not read: a broker has to send each one.
    private static let longestLook = 10_000

    let services: ServiceDirectory
    let time: any Timekeeper

    /// - Parameter services: the services whose queues are looked at.
    package init(services: ServiceDirectory, time: any Timekeeper) {
        self.services = services
        self.time = time
    }

    /// - Throws: `PortFault`.
    package func findings(
        _ queue: Queue, _ records: any WorkerRegister & ControlRecords
    ) async throws -> [CheckFinding] {
        let work = StoredWork(workers: try await records.liveWorkers(), control: try? await records.control())
        let status = try await QueueStatus(services, queue, .success(work))
        let dead = status.lines.map(\.depth).filter { $0.dead > 0 }
        return status.lines.compactMap(QueueCheck.standstill) + status.lines.compactMap(QueueCheck.setting)
            + (try await deadLetters(queue, dead))
    }

    /// What is set where nothing waits, too: it may have been forgotten.
    private static func setting(_ line: QueueStatus.Line) -> CheckFinding? {
        let (control, queue) = (line.control, line.depth.queue)
        if let pause = control.pauseText {
            guard line.depth.waiting == 0 else { return nil }
            return CheckFinding(.warning, queue, "\(pause); farm resume \(line.service) ends it")
        }
        return control.isAnything ? CheckFinding(.ok, queue, control.text) : nil
    }

    private static func standstill(_ line: QueueStatus.Line) -> CheckFinding? {
        guard line.depth.waiting > 0, let why = line.state(refusal: nil).why else { return nil }
        var way = line.workers?.isEmpty ?? false ? ": \(WorkerHint.wayOut(for: [line.service]))" : ""
        if line.control.isPaused { way = "; farm resume \(line.service) ends it" }
        return CheckFinding(.warning, line.depth.queue, "\(line.depth.waiting) wait and none is taken: \(why)\(way)")
    }

    private func deadLetters(_ queue: Queue, _ depths: [QueueDepth]) async throws -> [CheckFinding] {
        var findings: [CheckFinding] = []
        for depth in depths {
            let subject = depth.queue + ".dead"
            guard depth.dead <= QueueCheck.longestLook else {
                findings.append(
                    CheckFinding(.warning, subject, "holds \(counted(depth.dead, "dead letter")): see farm dead"))
                continue
            }
            let recent = try await recentLetters(queue, depth.queue)
            guard recent.count > 0 else { continue }
            let message = recent.last.isEmpty ? "" : ", the last one: \(recent.last.printable(upTo: 200))"
            findings.append(
                CheckFinding(
                    .warning, subject,
                    "\(counted(recent.count, "job")) died in the last hour\(message): see farm dead --queue \(depth.queue) --newer-than 1h"
                ))
        }
        return findings
    }

    /// - Returns: how many letters of the last hour there are, and why the newest died.
    private func recentLetters(_ queue: Queue, _ name: String) async throws -> (count: Int, last: String) {
        let filter = DeadLetterFilter(after: time.now().addingTimeInterval(-QueueCheck.window))
        let pass = try await queue.pass(through: name, .dead)
        var (count, last) = (0, "")
        do {
            while case let batch = try await pass.next(), !batch.isEmpty {
                let letters = batch.map { DeadMessage(queue: name, body: $0.body, headers: $0.headers) }
                    .filter(filter.matches)
                count += letters.count
                if let letter = letters.last {
                    last = letter.message.isEmpty ? letter.reason : "\(letter.reason): \(letter.message)"
                }
            }
        } catch {
            try? await pass.close()
            throw error
        }
        try await pass.close()
        return (count, last)
    }
}
