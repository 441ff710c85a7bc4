import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Web

/// A test double of a socket whose reader takes nothing: what is written waits until a test lets it go.
private final class FullSocket: ChannelOutboundHandler {
    typealias OutboundIn = HTTPResponsePart

    private var waiting: [EventLoopPromise<Void>] = []

    var count: Int { waiting.count }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if let promise { waiting.append(promise) }
    }

    func take(_ count: Int) {
        for promise in waiting.prefix(count) { promise.succeed() }
        waiting.removeFirst(count)
    }
}

/// What becomes of connections, without any: each step is the test's.
@Suite("Connections, step by step")
struct ConnectionHandlerTests {
    private func channel(_ handlers: [any ChannelHandler] = []) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers(handlers)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 8090)).wait()
        return channel
    }

    @Test("a connection closes when all that was written has left, and not before")
    func closing() throws {
        let socket = FullSocket()
        let guarding = ConnectionGuard(
            stallLimit: .seconds(60), bodyLimit: .seconds(60), room: ConnectionRoom(limit: 9))
        let channel = try channel([socket, guarding])
        channel.write(HTTPResponsePart.head(HTTPResponse(status: .ok)), promise: nil)
        channel.write(HTTPResponsePart.body(ByteBuffer(repeating: 65, count: 200_000)), promise: nil)
        channel.write(HTTPResponsePart.end(nil), promise: nil)
        // The body in slices.
        #expect(socket.count == 6)
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
        #expect(channel.isActive)
        socket.take(5)
        channel.embeddedEventLoop.run()
        #expect(channel.isActive)
        socket.take(1)
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }

    @Test(
        "a connection that is being answered never makes room; else the oldest, those on which nothing is asked first")
    func room() throws {
        let room = ConnectionRoom(limit: 3)
        let answered = try (0..<3).map { _ in try channel() }
        for channel in answered {
            room.entered(channel)
            room.changed(channel, to: .answering)
        }
        let receiving = try channel()
        room.entered(receiving)
        #expect((answered + [receiving]).map(\.isActive) == [true, true, true, true], "there is none that could leave")
        room.changed(receiving, to: .receiving)
        let idle = try channel()
        room.entered(idle)
        #expect(!receiving.isActive && idle.isActive)
        let next = try channel()
        room.entered(next)
        #expect(!idle.isActive && next.isActive)
        #expect(answered.map(\.isActive) == [true, true, true])
        // What has been answered is idle again.
        room.changed(answered[1], to: .idle)
        room.changed(next, to: .receiving)
        room.entered(try channel())
        #expect(answered.map(\.isActive) == [true, false, true] && next.isActive)
    }
}
