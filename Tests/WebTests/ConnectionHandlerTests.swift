import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Synchronization
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

    @Test("the oldest makes room: of those on which nothing is asked, then of those that send, then of the others")
    func room() throws {
        let room = ConnectionRoom(limit: 3)
        let answered = try (0..<3).map { _ in try channel() }
        for channel in answered {
            room.entered(channel)
            room.changed(channel, to: .answering)
        }
        let receiving = try channel()
        room.entered(receiving)
        #expect((answered + [receiving]).map(\.isActive) == [false, true, true, true], "somebody always makes room")
        room.changed(receiving, to: .receiving)
        let idle = try channel()
        room.entered(idle)
        #expect(!receiving.isActive && idle.isActive)
        let next = try channel()
        room.entered(next)
        #expect(!idle.isActive && next.isActive)
        #expect(answered.map(\.isActive) == [false, true, true])
        // What has been answered is idle again.
        room.changed(answered[1], to: .idle)
        room.changed(next, to: .receiving)
        room.entered(try channel())
        #expect(answered.map(\.isActive) == [false, false, true] && next.isActive)
    }

    @Test("a connection that has to leave does so at once, also while its reader takes nothing")
    func leaving() throws {
        let (room, socket) = (ConnectionRoom(limit: 1), FullSocket())
        let slow = try channel([
            socket, ConnectionGuard(stallLimit: .seconds(60), bodyLimit: .seconds(60), room: room),
        ])
        slow.write(HTTPResponsePart.head(HTTPResponse(status: .ok)), promise: nil)
        slow.write(HTTPResponsePart.end(nil), promise: nil)
        #expect(socket.count == 2 && slow.isActive)
        room.entered(try channel())
        slow.embeddedEventLoop.run()
        #expect(!slow.isActive)
    }

    @Test("the oldest event stream ends when there are too many; what has ended does not count")
    func streams() {
        let streams = EventStreams(limit: 2)
        let ended = Mutex<[Int]>([])
        let numbers = (0..<5).map { _ in streams.number() }
        func begin(_ number: Int) { streams.begin(number) { ended.withLock { $0.append(number) } } }
        begin(numbers[0])
        begin(numbers[1])
        #expect(ended.withLock { $0 }.isEmpty)
        begin(numbers[2])
        #expect(ended.withLock { $0 } == [numbers[0]])
        streams.ended(numbers[0])
        streams.ended(numbers[1])
        begin(numbers[3])
        #expect(ended.withLock { $0 } == [numbers[0]])
        begin(numbers[4])
        #expect(ended.withLock { $0 } == [numbers[0], numbers[2]])
    }
}
