import Foundation
import Model
import Operations
import Pipeline

extension FarmStatus {
    /// The status as a person reads it.
    var text: String {
        var parts: [String] = []
        switch queues {
        case .success(let status): parts.append(status.text(refusal: refusal))
        case .failure(let fault): parts.append("the queues are not known: \(fault)")
        }
        switch results {
        case .success(let status): parts += status.texts
        case .failure(let fault): parts.append("the results are not known: \(fault)")
        }
        return parts.joined(separator: "\n\n")
    }
}

extension QueueStatus {
    /// - Parameter refusal: why the store takes no rows.
    fileprivate func text(refusal: PortFault?) -> String {
        var table = Table([
            ("queue", .left), ("waiting", .right), ("in flight", .right), ("dead", .right), ("workers", .right),
            ("oldest", .right), ("done/s", .right), ("ETA", .right), ("state", .left),
        ])
        for line in lines {
            let (depth, state) = (line.depth, line.state(refusal: refusal))
            table.add([
                depth.queue, "\(depth.waiting)", depth.inFlight.map(String.init) ?? "-", "\(depth.dead)",
                state.workers.map(String.init) ?? "?", line.oldest.map(ShortDuration.text) ?? "-",
                line.donePerSecond.map { $0 > 0 ? String(format: $0 < 1 ? "%.2g" : "%.1f", $0) : "-" } ?? "?",
                line.timeLeft(state).map(ShortDuration.text) ?? "-", state.text,
            ])
        }
        return table.text + (blockade.map { "\nthe broker takes no messages: \($0)" } ?? "")
    }
}

extension StoreStatus {
    /// The table of the services, and the totals.
    fileprivate var texts: [String] {
        var table = Table([
            ("service", .left), ("success", .right), ("error", .right), ("p50 s", .right), ("p95 s", .right),
            ("last (UTC)", .left),
        ])
        for report in services {
            table.add([
                report.service, text(report.success), text(report.error), StoreStatus.seconds(report.p50),
                StoreStatus.seconds(report.p95), report.last.map(Timestamp.iso8601) ?? "-",
            ])
        }
        let sums =
            "\(text(totals.images)) images, \(text(totals.results)) results, \(text(totals.mergedBoxes)) merged boxes, "
            + "\(text(totals.consensus)) consensus, enrichments: \(text(totals.postprocessing)), "
            + "failed: \(text(totals.failedPostprocessing))"
        let told = refusal.map { ["the store takes no rows, so no job is taken: \($0)"] } ?? []
        return [services.isEmpty ? "no results yet" : table.text, sums] + age + told
    }

    /// The count, with ≈ before it if triggers keep it.
    private func text(_ count: Int) -> String { isKept(count) ? "≈\(count)" : "\(count)" }

    /// How old the counts are that triggers keep.
    private var age: [String] {
        guard isKept, let recounted else { return [] }
        let age = ShortDuration.text(max(0, Date().timeIntervalSince(recounted)))
        return ["≈: kept with every write since all rows were counted \(age) ago; --exact counts them again"]
    }

    private static func seconds(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "-" }
}
