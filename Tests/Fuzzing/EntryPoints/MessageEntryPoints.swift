import CRabbitMQ
import Foundation
import Model
import Pipeline

@testable import RabbitMQ

extension EntryPoint {
    /// The body of a message: a job or a trigger.
    static let message = EntryPoint(name: "message") { input in
        let read = Result { () throws(MessageFault) in try Job(body: input, queue: "queue_blip", service: "blip") }
        switch read {
        case .success(let job):
            try promise(job.imageID > 0, "image \(job.imageID)")
            let again = try? Job(body: job.body, queue: "queue_blip", service: "blip")
            try promise(again == job, "\(job) becomes \(String(describing: again))")
        case .failure(let fault):
            try promise(fault.description.isPlain, "a fault that steers the terminal: \(fault)")
        }
        guard let trigger = try? Trigger(body: input) else { return }
        try promise((try? Trigger(body: trigger.body)) == trigger, "\(trigger) does not stay itself")
    }

    private static let blipJob = Array(#"{"image_id": 1, "service_name": "blip", "theirs": [1]}"#.utf8)

    private static func requeue(_ dead: DeadMessage) throws {
        let message = dead.requeued(at: Date(timeIntervalSince1970: 1_790_000_000))
        let again = DeadMessage(queue: message.queue, body: message.body, headers: message.headers)
        try promise((1...10).contains(again.history.count), "a history of \(again.history.count) deaths")
        try promise(again.imageID == dead.imageID, "image \(String(describing: again.imageID))")
    }

    /// The headers of an AMQP message, in the broker's form: a table of AMQP 0-9-1.
    static let messageHeaders = EntryPoint(name: "message_headers") { input in
        var input = input
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4096)
        defer { empty_amqp_pool(&pool) }
        try input.withUnsafeMutableBytes { buffer in
            var properties = amqp_basic_properties_t()
            var offset = 0
            let table = amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress)
            let status = amqp_decode_table(table, &pool, &properties.headers, &offset)
            guard status == AMQP_STATUS_OK.rawValue else { return }
            properties._flags = UInt32(AMQP_BASIC_HEADERS_FLAG)
            let headers = HeaderTable.headers(properties)
            try promise(headers.count <= Int(properties.headers.num_entries), "headers from nowhere")
            try requeue(DeadMessage(queue: "queue_blip", body: buffer.map { $0 }, headers: headers))
            try requeue(DeadMessage(queue: "queue_blip", body: blipJob, headers: headers))
        }
    }
}
