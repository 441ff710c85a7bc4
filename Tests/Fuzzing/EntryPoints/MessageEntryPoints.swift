import CRabbitMQ
import Foundation
import Model

@testable import RabbitMQ

extension EntryPoint {
    /// The body of a message: a job or a trigger.
    static let message = EntryPoint(name: "message") { input in
        switch Result(catching: { () throws(MessageFault) in try Job(body: input, queue: "queue_blip", service: "blip") }) {
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
        }
    }
}
