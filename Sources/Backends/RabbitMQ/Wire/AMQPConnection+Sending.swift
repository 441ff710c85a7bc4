import CRabbitMQ
import Pipeline

/// Requests. Each throws a `PortFault` if the connection is broken.
extension AMQPConnection {
    func openChannel(_ channel: UInt16) throws {
        var arguments = amqp_channel_open_t(out_of_band: amqp_empty_bytes)
        try send(channel, AMQP_CHANNEL_OPEN_METHOD, &arguments)
    }

    func closeChannel(_ channel: UInt16) throws {
        try withBytes("done") { text in
            var arguments = amqp_channel_close_t(reply_code: 200, reply_text: text, class_id: 0, method_id: 0)
            try send(channel, AMQP_CHANNEL_CLOSE_METHOD, &arguments)
        }
    }

    func answerChannelClose(_ channel: UInt16) throws {
        var arguments = amqp_channel_close_ok_t()
        try send(channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &arguments)
    }

    func close() throws {
        try withBytes("done") { text in
            var arguments = amqp_connection_close_t(reply_code: 200, reply_text: text, class_id: 0, method_id: 0)
            try send(0, AMQP_CONNECTION_CLOSE_METHOD, &arguments)
        }
    }

    func answerClose() throws {
        var arguments = amqp_connection_close_ok_t()
        try send(0, AMQP_CONNECTION_CLOSE_OK_METHOD, &arguments)
    }

    // MARK: Queues

    /// How often a quorum queue may redeliver a message before it drops it. By default RabbitMQ 4 does so after 20
    /// times, and farm gives jobs back far more often while a service is down. Farm counts tries itself. Before
    /// RabbitMQ 4 there is no number for "always".
    private static let deliveryLimit = Int32.max

    /// Declares a queue as a classic one without arguments. For any other queue this is an error.
    func declareClassic(_ queue: String, on channel: UInt16) throws {
        try declare(queue, ["x-queue-type": "classic"], on: channel)
    }

    /// Declares a queue as a stream. For any other queue this is an error.
    func declareStream(_ queue: String, on channel: UInt16) throws {
        try declare(queue, ["x-queue-type": "stream"], on: channel)
    }

    /// - Parameter making: the type. nil only asks whether the queue exists.
    func declare(_ queue: String, making type: RabbitMQOptions.QueueType?, on channel: UInt16) throws {
        switch type {
        case nil: try declare(queue, isPassive: true, [:], on: channel)
        case .classic: try declare(queue, [:], on: channel)
        case .quorum:
            let limit = ["x-delivery-limit": AMQPConnection.deliveryLimit]
            try declare(queue, ["x-queue-type": "quorum"], numbers: limit, on: channel)
        }
    }

    /// Declares a queue with an argument of a wrong type, so that it is never created.
    func declareInvalidly(_ queue: String, on channel: UInt16) throws {
        try declare(queue, ["x-expires": "never"], on: channel)
    }

    private func declare(
        _ queue: String, isPassive: Bool = false, _ texts: [String: String], numbers: [String: Int32] = [:],
        on channel: UInt16
    ) throws {
        try withBytes(queue) { name in
            try HeaderTable.withTable(texts, numbers: numbers) { table in
                var arguments = amqp_queue_declare_t(
                    ticket: 0, queue: name, passive: isPassive ? 1 : 0, durable: 1, exclusive: 0, auto_delete: 0,
                    nowait: 0, arguments: table)
                try send(channel, AMQP_QUEUE_DECLARE_METHOD, &arguments)
            }
        }
    }

    /// Drops the ready messages of a queue.
    func purge(_ queue: String, on channel: UInt16) throws {
        try withBytes(queue) { name in
            var arguments = amqp_queue_purge_t(ticket: 0, queue: name, nowait: 0)
            try send(channel, AMQP_QUEUE_PURGE_METHOD, &arguments)
        }
    }

    /// Asks for one message.
    func get(_ queue: String, on channel: UInt16) throws {
        try withBytes(queue) { name in
            var arguments = amqp_basic_get_t(ticket: 0, queue: name, no_ack: 0)
            try send(channel, AMQP_BASIC_GET_METHOD, &arguments)
        }
    }

    // MARK: Publishing

    func selectConfirms(_ channel: UInt16) throws {
        var arguments = amqp_confirm_select_t(nowait: 0)
        try send(channel, AMQP_CONFIRM_SELECT_METHOD, &arguments)
    }

    /// Publishes a message as mandatory. Farm's own messages are persistent.
    func publish(_ parcel: Parcel, on channel: UInt16) throws {
        let status: Int32?
        switch parcel.content {
        case .own(let headers): status = publish(parcel, headers, on: channel)
        case .copy(let properties, let isRedelivered):
            status = MessageProperties.withCopy(of: properties, isRedelivered: isRedelivered) {
                publish(parcel, &$0, on: channel)
            }
        }
        // If the properties cannot be read, the message is sent without them.
        try check(status ?? publish(parcel, [:], on: channel))
    }

    private func publish(_ parcel: Parcel, _ headers: [String: String], on channel: UInt16) -> Int32 {
        var properties = amqp_basic_properties_t()
        properties._flags = UInt32(AMQP_BASIC_CONTENT_TYPE_FLAG) | UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG)
        properties.delivery_mode = 2
        return withBytes("application/json") { type in
            properties.content_type = type
            guard !headers.isEmpty else { return publish(parcel, &properties, on: channel) }
            return HeaderTable.withTable(headers) { table in
                properties._flags |= UInt32(AMQP_BASIC_HEADERS_FLAG)
                properties.headers = table
                return publish(parcel, &properties, on: channel)
            }
        }
    }

    private func publish(
        _ parcel: Parcel, _ properties: inout amqp_basic_properties_t, on channel: UInt16
    ) -> Int32 {
        withBytes(parcel.queue) { queue in
            parcel.body.withUnsafeBytes { buffer in
                let body = amqp_bytes_t(
                    len: buffer.count, bytes: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
                return amqp_basic_publish(state, channel, amqp_empty_bytes, queue, 1, 0, &properties, body)
            }
        }
    }

    // MARK: Consuming

    func limit(prefetch: Int, on channel: UInt16) throws {
        var arguments = amqp_basic_qos_t(prefetch_size: 0, prefetch_count: UInt16(clamping: prefetch), global: 0)
        try send(channel, AMQP_BASIC_QOS_METHOD, &arguments)
    }

    func consume(_ queue: String, on channel: UInt16) throws {
        try consume(queue, [:], numbers: AMQPConnection.noStream, on: channel)
    }

    /// Consumes a queue as a stream. Only a stream accepts the argument. Another queue refuses it, if the right to read
    /// is there.
    func consumeStream(_ queue: String, on channel: UInt16) throws {
        try consume(queue, ["x-stream-offset": "next"], on: channel)
    }

    private func consume(
        _ queue: String, _ texts: [String: String], numbers: [String: Int32] = [:], on channel: UInt16
    ) throws {
        try withBytes(queue) { queue in
            try withBytes(AMQPConnection.consumerTag) { tag in
                var arguments = amqp_basic_consume_t(
                    ticket: 0, queue: queue, consumer_tag: tag, no_local: 0, no_ack: 0, exclusive: 0, nowait: 0,
                    arguments: amqp_empty_table)
                try HeaderTable.withTable(texts, numbers: numbers) { table in
                    arguments.arguments = table
                    try send(channel, AMQP_BASIC_CONSUME_METHOD, &arguments)
                }
            }
        }
    }

    func cancelConsumer(on channel: UInt16) throws {
        try withBytes(AMQPConnection.consumerTag) { tag in
            var arguments = amqp_basic_cancel_t(consumer_tag: tag, nowait: 0)
            try send(channel, AMQP_BASIC_CANCEL_METHOD, &arguments)
        }
    }

    func acknowledge(_ tag: UInt64, multiple: Bool, on channel: UInt16) throws {
        try check(amqp_basic_ack(state, channel, tag, multiple ? 1 : 0))
    }

    func giveBack(_ tag: UInt64, multiple: Bool, on channel: UInt16) throws {
        try check(amqp_basic_nack(state, channel, tag, multiple ? 1 : 0, 1))
    }

    /// The priority that every consumer has. A stream has no priorities, and refuses it. That is useful: a stream would
    /// keep what is acknowledged, and show nothing that was there before.
    private static let noStream = ["x-priority": Int32(0)]

    /// A channel has one consumer, and tags belong to their channel.
    private static let consumerTag = "farm"

    private func send<Arguments>(
        _ channel: UInt16, _ method: amqp_method_number_t, _ arguments: inout Arguments
    ) throws {
        try check(withUnsafeMutablePointer(to: &arguments) { amqp_send_method(state, channel, method, $0) })
    }
}
