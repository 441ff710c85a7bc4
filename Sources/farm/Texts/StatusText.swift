import Foundation
import Model
import Operations
import Pipeline

extension FarmStatus {
    /// What a person reads.
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
            ("state", .left),
        ])
        for line in lines {
            let (depth, state) = (line.depth, line.state(refusal: refusal))
            table.add([
                depth.queue, "\(depth.waiting)", depth.inFlight.map(String.init) ?? "-", "\(depth.dead)",
                state.workers.map(String.init) ?? "?", state.text,
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
                report.service, "\(report.success)", "\(report.error)", StoreStatus.seconds(report.p50),
                StoreStatus.seconds(report.p95), report.last.map(Timestamp.iso8601) ?? "-",
            ])
        }
        let sums =
            "\(totals.images) images, \(totals.results) results, \(totals.mergedBoxes) merged boxes, "
            + "\(totals.consensus) consensus, enrichments: \(totals.postprocessing), failed: \(totals.failedPostprocessing)"
        let told = refusal.map { ["the store takes no rows, so no job is taken: \($0)"] } ?? []
        return [services.isEmpty ? "no results yet" : table.text, sums] + told
    }

    private static func seconds(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "-" }
}
