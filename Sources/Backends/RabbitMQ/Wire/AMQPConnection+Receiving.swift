import CRabbitMQ
import Pipeline

/// A message whose header and body come in separate frames.
struct PartialMessage {
    enum Kind {
        case delivered(tag: UInt64, redelivered: Bool)
        case got(tag: UInt64, redelivered: Bool, rest: Int)
        case returned(queue: String)
    }

    var kind: Kind
    var size: UInt64?
    var content = Frame.Content(body: [], headers: [:])
}

extension AMQPConnection {
    /// The next frame. nil if there is none at present. In here the library sends its heartbeats, and notices if the
    /// broker's do not come.
    /// - Throws: `PortFault`.
    func receive() throws -> Frame? {
        var frame = amqp_frame_t()
        var now = timeval(tv_sec: 0, tv_usec: 0)
        while true {
            let status = amqp_simple_wait_frame_noblock(state, &frame, &now)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            try check(status)
            defer { amqp_maybe_release_buffers(state) }
            switch Int32(frame.frame_type) {
            case AMQP_FRAME_METHOD:
                if let received = method(frame.payload.method, frame.channel) { return received }
            case AMQP_FRAME_HEADER:
                if let received = header(frame) { return received }
            case AMQP_FRAME_BODY:
                if let received = body(frame) { return received }
            default: continue
            }
        }
    }

    /// - Returns: nil for the beginning of a message.
    private func method(_ method: amqp_method_t, _ channel: UInt16) -> Frame? {
        func decoded<Arguments>(_ type: Arguments.Type) -> Arguments? {
            method.decoded?.assumingMemoryBound(to: type).pointee
        }
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            guard let deliver = decoded(amqp_basic_deliver_t.self) else { return .other }
            let kind = PartialMessage.Kind.delivered(tag: deliver.delivery_tag, redelivered: deliver.redelivered != 0)
            partial[channel] = PartialMessage(kind: kind)
            return nil
        case AMQP_BASIC_GET_OK_METHOD:
            guard let got = decoded(amqp_basic_get_ok_t.self) else { return .other }
            let kind = PartialMessage.Kind.got(
                tag: got.delivery_tag, redelivered: got.redelivered != 0, rest: Int(got.message_count))
            partial[channel] = PartialMessage(kind: kind)
            return nil
        case AMQP_BASIC_GET_EMPTY_METHOD: return .gotNothing(channel)
        case AMQP_QUEUE_PURGE_OK_METHOD:
            guard let purged = decoded(amqp_queue_purge_ok_t.self) else { return .other }
            return .purged(channel, messages: Int(purged.message_count))
        case AMQP_BASIC_RETURN_METHOD:
            guard let returned = decoded(amqp_basic_return_t.self) else { return .other }
            partial[channel] = PartialMessage(kind: .returned(queue: returned.routing_key.string))
            return nil
        case AMQP_BASIC_ACK_METHOD:
            guard let ack = decoded(amqp_basic_ack_t.self) else { return .other }
            return .confirmed(tag: ack.delivery_tag, multiple: ack.multiple != 0, isPositive: true)
        case AMQP_BASIC_NACK_METHOD:
            guard let nack = decoded(amqp_basic_nack_t.self) else { return .other }
            return .confirmed(tag: nack.delivery_tag, multiple: nack.multiple != 0, isPositive: false)
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            guard let declared = decoded(amqp_queue_declare_ok_t.self) else { return .other }
            return .declared(
                channel, messages: Int(declared.message_count), consumers: Int(declared.consumer_count))
        case AMQP_CHANNEL_CLOSE_METHOD:
            partial[channel] = nil
            guard let close = decoded(amqp_channel_close_t.self) else { return .other }
            return .channelClosed(channel, Refusal(code: Int(close.reply_code), text: close.reply_text.string))
        case AMQP_CONNECTION_CLOSE_METHOD:
            guard let close = decoded(amqp_connection_close_t.self) else { return .other }
            return .closed(Refusal(code: Int(close.reply_code), text: close.reply_text.string))
        case AMQP_CONNECTION_BLOCKED_METHOD:
            return .blocked(reason: decoded(amqp_connection_blocked_t.self)?.reason.string ?? "")
        case AMQP_CONNECTION_UNBLOCKED_METHOD: return .unblocked
        case AMQP_CONNECTION_CLOSE_OK_METHOD: return .closeOK
        case AMQP_CHANNEL_OPEN_OK_METHOD: return .channelOpened(channel)
        case AMQP_CHANNEL_CLOSE_OK_METHOD:
            partial[channel] = nil
            return .channelCloseOK(channel)
        case AMQP_CONFIRM_SELECT_OK_METHOD: return .confirmsSelected
        case AMQP_BASIC_CONSUME_OK_METHOD: return .consuming(channel)
        case AMQP_BASIC_CANCEL_METHOD: return .consumerCancelled(channel)
        case AMQP_BASIC_CANCEL_OK_METHOD: return .consumerCancelOK(channel)
        default: return .other
        }
    }

    private func header(_ frame: amqp_frame_t) -> Frame? {
        guard var message = partial[frame.channel] else { return nil }
        let size = frame.payload.properties.body_size
        message.size = size
        // It grows with what comes: a size that is only announced must not take memory.
        message.content.body.reserveCapacity(Int(min(size, 1 << 20)))
        message.content.properties = frame.payload.properties.raw.array
        if let properties = frame.payload.properties.decoded?.assumingMemoryBound(to: amqp_basic_properties_t.self) {
            var headers = HeaderTable.headers(properties.pointee)
            message.content.returns = headers.removeValue(forKey: FarmHeader.returns).flatMap { Int($0) }
            message.content.isCopy = headers.removeValue(forKey: FarmHeader.redelivered) != nil
            message.content.headers = headers
        }
        return size == 0 ? finish(message, frame.channel) : keep(message, frame.channel)
    }

    private func body(_ frame: amqp_frame_t) -> Frame? {
        guard let index = partial.index(forKey: frame.channel) else { return nil }
        let fragment = frame.payload.body_fragment
        partial.values[index].content.body.append(
            contentsOf: UnsafeRawBufferPointer(start: fragment.bytes, count: fragment.len))
        let message = partial.values[index]
        let isWhole = message.size.map { UInt64(message.content.body.count) >= $0 } ?? false
        return isWhole ? finish(message, frame.channel) : nil
    }

    private func keep(_ message: PartialMessage, _ channel: UInt16) -> Frame? {
        partial[channel] = message
        return nil
    }

    private func finish(_ message: PartialMessage, _ channel: UInt16) -> Frame {
        partial[channel] = nil
        switch message.kind {
        case .delivered(let tag, let redelivered):
            return .delivered(channel, tag: tag, redelivered: redelivered, message.content)
        case .got(let tag, let redelivered, let rest):
            return .got(channel, tag: tag, redelivered: redelivered, rest: rest, message.content)
        case .returned(let queue): return .returned(queue: queue, message.content)
        }
    }
}
