import Foundation
import Glibc
import Pipeline

/// A connection that is used in lockstep: a request, then its answer. It blocks, so it needs a thread of its own.
final class Conversation {
    static let channel: UInt16 = 1
    private static let limit = Duration.seconds(5)

    let amqp: AMQPConnection
    private var isOpen = false
    /// Why the broker takes no messages.
    private(set) var blockade: String?

    init(_ amqp: AMQPConnection) { self.amqp = amqp }

    /// Sends a request on an open channel.
    /// - Parameter answer: the meaning of a frame. nil if the frame is no answer to this request.
    /// - Returns: the answer, or the refusal with which the broker closed the channel.
    /// - Throws: `PortFault`.
    func ask<Answer>(
        _ request: (AMQPConnection) throws -> Void, _ answer: (Frame) -> Answer?
    ) throws -> Result<Answer, Refusal> {
        if !isOpen {
            try amqp.openChannel(Conversation.channel)
            _ = try wait { if case .channelOpened = $0 { true } else { nil } }
            isOpen = true
        }
        try request(amqp)
        let result = try wait { frame -> Result<Answer, Refusal>? in
            if case .channelClosed(_, let refusal) = frame { return .failure(refusal) }
            return answer(frame).map(Result.success)
        }
        if case .failure = result {
            isOpen = false
            try amqp.answerChannelClose(Conversation.channel)
        }
        return result
    }

    /// Sends a message to a queue that does not exist, so that it comes back. A broker that takes no messages says so,
    /// and then nothing comes back.
    func publishToNobody() throws -> Result<Bool, Refusal> {
        _ = try ask {
            try $0.selectConfirms(Conversation.channel)
        } _: {
            if case .confirmsSelected = $0 { true } else { nil }
        }
        let message = Message(queue: "farm.nobody.\(UUID().uuidString)", body: [])
        return try ask {
            try $0.publish(Parcel(message), on: Conversation.channel)
        } _: { frame -> Bool? in
            switch frame {
            case .confirmed, .blocked: true
            default: nil
            }
        }
    }

    /// Opens the channels up to this one, and closes them.
    func openChannels(upTo last: UInt16) throws {
        guard last > Conversation.channel else { return }
        let channels = Conversation.channel + 1...last
        for channel in channels { try amqp.openChannel(channel) }
        try waitForAll(channels) { if case .channelOpened(let channel) = $0 { channel } else { nil } }
        for channel in channels { try amqp.closeChannel(channel) }
        try waitForAll(channels) { if case .channelCloseOK(let channel) = $0 { channel } else { nil } }
    }

    /// Closes the channel. What was delivered on it goes back.
    func closeChannel() throws {
        guard isOpen else { return }
        isOpen = false
        try amqp.closeChannel(Conversation.channel)
        _ = try wait { if case .channelCloseOK = $0 { true } else { nil } }
    }

    /// Each channel is a process of the broker, so their answers come in any order.
    private func waitForAll(_ channels: ClosedRange<UInt16>, _ answer: (Frame) -> UInt16?) throws {
        var rest = Set(channels)
        while !rest.isEmpty { rest.remove(try wait(answer)) }
    }

    @discardableResult
    private func wait<Answer>(_ answer: (Frame) -> Answer?) throws -> Answer {
        let deadline = ContinuousClock.now + Conversation.limit
        while .now < deadline {
            while let frame = try amqp.receive() {
                switch frame {
                case .blocked(let reason): blockade = reason
                case .unblocked: blockade = nil
                case .closed(let refusal):
                    throw PortFault(.transient, place: amqp.place, message: "the broker said: \(refusal.text)")
                default: break
                }
                if let answer = answer(frame) { return answer }
            }
            var descriptor = pollfd(fd: amqp.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&descriptor, 1, 100)
        }
        throw PortFault(
            .transient, place: amqp.place,
            message: blockade.map { "takes no messages: \($0)" } ?? "the broker does not answer")
    }
}

extension Refusal: Error {}
