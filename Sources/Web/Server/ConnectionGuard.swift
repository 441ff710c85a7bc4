import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// What Hummingbird leaves to its users, one guard for each connection:
///
/// - What was written leaves before the connection closes. Otherwise a slow reader gets a torn answer.
/// - A reader that takes nothing for `stallLimit` is disconnected, so that it does not hold its answer in memory.
/// - A request whose body is not complete within `bodyLimit` is answered with 408 and disconnected.
/// - `Expect: 100-continue` is answered, so that clients do not wait before they send a body.
/// - What the connection is doing is told to the `ConnectionRoom`, so that idle connections make room for new ones.
///   One that has to leave does so at once, whatever it has not sent.
///
/// A handler belongs to its channel's event loop; nothing here is touched by another thread.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Larger parts of a body are written in slices of this size, so that a reader that is slow but reads is seen to move.
    private static let sliceLength = 64 << 10

    private let stallLimit: TimeAmount
    private let bodyLimit: TimeAmount
    private let room: ConnectionRoom
    /// The body of a request is not complete.
    private var isReceiving = false
    /// Requests that have not been answered. Clients may send the next one before.
    private var unanswered = 0
    /// The head of the answer to the last request was written.
    private var isAnswering = false
    /// The last answer of this connection was written by the guard: nothing comes after it.
    private var isCut = false
    /// Writes that the connection has not taken yet.
    private var unsentWrites = 0
    private var lastProgress = NIODeadline.now()
    private var stallTimer: Scheduled<Void>?
    private var bodyTimer: Scheduled<Void>?
    /// A close that waits for the unsent writes.
    private var deferredClose: EventLoopPromise<Void>?

    init(stallLimit: TimeAmount, bodyLimit: TimeAmount, room: ConnectionRoom) {
        self.stallLimit = stallLimit
        self.bodyLimit = bodyLimit
        self.room = room
    }

    // MARK: The connection

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { room.entered(context.channel) } }

    func channelActive(context: ChannelHandlerContext) {
        room.entered(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave(context) }

    private func leave(_ context: ChannelHandlerContext) {
        stallTimer?.cancel()
        bodyTimer?.cancel()
        (stallTimer, bodyTimer) = (nil, nil)
        room.left(context.channel)
    }

    private func tell(_ context: ChannelHandlerContext) {
        let isAnswering = unanswered > 0 || unsentWrites > 0
        room.changed(context.channel, to: isReceiving ? .receiving : isAnswering ? .answering : .idle)
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            (isReceiving, unanswered, isAnswering) = (true, unanswered + 1, false)
            tell(context)
            bodyTimer?.cancel()
            bodyTimer = context.eventLoop.assumeIsolated().scheduleTask(in: bodyLimit) { [self] in refuse(context) }
            if head.headerFields[.expect]?.lowercased() == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .body: break
        case .end:
            isReceiving = false
            tell(context)
            bodyTimer?.cancel()
            bodyTimer = nil
        }
        context.fireChannelRead(data)
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isCut else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let part = unwrapOutboundIn(data)
        if case .head(let head) = part, head.status.kind != .informational { isAnswering = true }
        let isEnd = if case .end = part { true } else { false }
        // What cannot be read is answered too, and was no request.
        if isEnd { unanswered = max(0, unanswered - 1) }
        defer { if isEnd { tell(context) } }
        guard case .body(var rest) = part, rest.readableBytes > ConnectionGuard.sliceLength else {
            return track(context, data, promise)
        }
        while rest.readableBytes > ConnectionGuard.sliceLength,
            let slice = rest.readSlice(length: ConnectionGuard.sliceLength)
        {
            track(context, wrapOutboundOut(.body(slice)), nil)
        }
        track(context, wrapOutboundOut(.body(rest)), promise)
    }

    private func track(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise()
        if unsentWrites == 0 {
            lastProgress = .now()
            watchForStall(context)
        }
        unsentWrites += 1
        promise.futureResult.assumeIsolated().whenComplete { [self] _ in
            unsentWrites -= 1
            lastProgress = .now()
            guard unsentWrites == 0 else { return }
            stallTimer?.cancel()
            stallTimer = nil
            tell(context)
            guard let closing = deferredClose else { return }
            deferredClose = nil
            context.close(promise: closing)
        }
        context.write(data, promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, unsentWrites > 0, context.channel.isActive else {
            return context.close(mode: mode, promise: promise)
        }
        if let deferredClose {
            deferredClose.futureResult.cascade(to: promise)
        } else {
            deferredClose = promise ?? context.eventLoop.makePromise()
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ConnectionRoom.HasToLeave else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        abort(context)
        promise?.succeed()
    }

    private func watchForStall(_ context: ChannelHandlerContext) {
        stallTimer = context.eventLoop.assumeIsolated().scheduleTask(deadline: lastProgress + stallLimit) { [self] in
            if NIODeadline.now() - lastProgress >= stallLimit { abort(context) } else { watchForStall(context) }
        }
    }

    /// Says that the body has not come in time, if nothing else was said yet, and disconnects.
    private func refuse(_ context: ChannelHandlerContext) {
        guard unanswered == 1, !isAnswering else { return abort(context) }
        let problem = Problem(.tooSlow, "the body has to come within \(bodyLimit.nanoseconds / 1_000_000_000) seconds")
        let body = ByteBuffer(string: problem.json.text)
        let head = HTTPResponse(
            status: problem.kind.status,
            headerFields: [
                .contentType: "application/problem+json", .contentLength: "\(body.readableBytes)", .connection: "close",
            ])
        track(context, wrapOutboundOut(.head(head)), nil)
        track(context, wrapOutboundOut(.body(body)), nil)
        track(context, wrapOutboundOut(.end(nil)), nil)
        context.flush()
        isCut = true
        close(context: context, mode: .all, promise: nil)
    }

    private func abort(_ context: ChannelHandlerContext) {
        let waiting = deferredClose
        deferredClose = nil
        context.close(promise: waiting)
    }
}
