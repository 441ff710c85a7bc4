import Foundation
import Model
import Operations
import Pipeline

extension DeadMessage {
    /// One line of the list.
    var cells: [String] {
        [
            queue.escapingSteering(), reason.printable(upTo: 20), imageID.map(String.init) ?? "-",
            tries.map(String.init) ?? "-",
            deadSince.map(Timestamp.iso8601) ?? "-", message.printable(upTo: 100),
        ]
    }

    /// Everything about the letter, for people.
    func text(service: String) -> String {
        var lines = [
            Terminal.bold(
                "\(queue.escapingSteering()): \(reason.escapingSteering())"
                    + (message.isEmpty ? "" : ": \(message.escapingSteering())"))
        ]
        func add(_ title: String, _ value: String?) {
            if let value { lines.append("  " + title + String(repeating: " ", count: 15 - title.count) + value) }
        }
        add("service", service.escapingSteering())
        add("image", imageID.map(String.init))
        add("job", jobID?.text)
        if firstJobID != jobID { add("first job", firstJobID?.text) }
        add("tries", tries.map(String.init))
        add("worker", workerID?.escapingSteering())
        add("first failure", firstFailure.map(Timestamp.iso8601))
        add("dead since", deadSince.map(Timestamp.iso8601))
        for death in history { add("died before", DeadMessage.text(of: death)) }
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) where !name.hasPrefix("x-farm-") {
            add("header", "\(name.escapingSteering()): \(value.printable(upTo: 1000))")
        }
        add("body", bodyText)
        return lines.joined(separator: "\n")
    }

    /// `2026-11-24T08:15:30.250Z timeout, 3 tries by work_clip_k3_17: no answer`.
    private static func text(of death: JSON) -> String {
        func field(_ name: String) -> String { (death[name]?.stringValue ?? "").escapingSteering() }
        let count = death["tries"]?.integerValue ?? 0
        let tries = count == 1 ? "1 try" : "\(count) tries"
        return "\(field("dead_since")) \(field("reason")), \(tries) by \(field("worker_id")): \(field("message"))"
    }

    /// How many bytes of a body are shown.
    private static let bodyLimit = 16 << 10

    private var bodyText: String {
        guard !body.isEmpty else { return "(empty)" }
        let text = Array(body.prefix(DeadMessage.bodyLimit)).printable
        return body.count > DeadMessage.bodyLimit
            ? text + "… (\(body.count) bytes in all; --json prints them)" : text
    }
}
