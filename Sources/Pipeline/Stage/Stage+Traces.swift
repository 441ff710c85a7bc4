import Foundation
import Model
import Waiting

/// How the work of a stage appears in traces.
extension Stage {
    func begin(_ item: inout Item) {
        let span =
            handler.coalesces
            ? options.tracer.follower(of: item.causes) : options.tracer.child(of: item.causes.first)
        item.trace = span ?? item.causes.first
    }

    /// Ends the span, and gives its context to the messages that follow.
    func end(_ item: Item, _ verdict: inout Verdict) {
        guard let trace = item.trace else { return }
        for place in verdict.publish.indices { verdict.publish[place].headers[TraceContext.header] = trace.text }
        guard options.tracer.isOn, !item.causes.contains(trace) else { return }
        var span = Span(
            "process \(options.queue)", .consumer, trace, parent: handler.coalesces ? nil : item.causes.first,
            began: item.taken, ended: options.time.now())
        span.links = handler.coalesces ? item.causes : []
        span.attributes = [
            ("messaging.system", .text("farm")), ("messaging.operation.name", .text("process")),
            ("messaging.operation.type", .text("process")), ("messaging.destination.name", .text(options.queue)),
            ("messaging.batch.message_count", .number(item.receipts.count)),
            ("farm.image_id", .number(Int(handler.image(of: item.work)))), ("farm.worker_id", .text(options.workerID)),
        ]
        if let job = item.key as? UUID { span.attributes.append(("messaging.message.id", .text(job.text))) }
        switch verdict.fate {
        case .done: break
        case .dead(let letter): span.failure = "\(letter.reason): \(letter.message)"
        case .back: span.attributes.append(("farm.given_back", .text("true")))
        }
        options.tracer.record(span)
    }
}
