import Hummingbird
import NIOCore
import Operations
import ServiceLifecycle
import Synchronization

/// What is new, by server-sent events (HTML Standard, section 9.2), for any number of readers. What is told is made once for
/// all of them, and no reader has a task of its own, which would take 50 KB.
final class EventFeed: Sendable {
    /// How long nothing is said at most. Proxies close a connection on which nothing comes for a minute, and a reader that has
    /// gone is noticed when something is written to it.
    private static let longestSilence = Duration.seconds(15)
    private static let stillHere = ": still here\n\n"
    /// Readers fetch a page for each event. If all were told at once, all those pages would be made, and held, at once.
    private static let crowd = 8
    private static let betweenCrowds = Duration.milliseconds(30)

    private struct State {
        var readers: [Int: AsyncStream<String>.Continuation] = [:]
        /// What was told last, for whoever comes now.
        var last: String?
        /// Those who tell, as long as somebody reads.
        var tellers: [Task<Void, Never>] = []
    }

    private let board: FarmBoard
    private let streams: EventStreams
    private let text: @Sendable (FarmView) -> String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - streams: may end a reader when others have begun.
    ///   - text: the event that tells of a view.
    init(of board: FarmBoard, in streams: EventStreams, text: @escaping @Sendable (FarmView) -> String) {
        (self.board, self.streams, self.text) = (board, streams, text)
    }

    /// An answer that goes on until its reader leaves, the server is told to stop, or there are too many.
    func answer() -> Response {
        let (events, continuation) = AsyncStream.makeStream(
            // Room for an event and a sign of life, so that neither drives out the other. What a slow reader has missed is
            // left out.
            of: String.self, bufferingPolicy: .bufferingNewest(2))
        let number = streams.number()
        continuation.onTermination = { [weak self] _ in self?.left(number) }
        entered(number, continuation)
        streams.begin(number) { continuation.finish() }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"],
            body: ResponseBody { writer in
                try await withGracefulShutdownHandler {
                    for await event in events { try await writer.write(ByteBuffer(string: event)) }
                } onGracefulShutdown: {
                    continuation.finish()
                }
                try await writer.finish(nil)
            })
    }

    private func entered(_ number: Int, _ continuation: AsyncStream<String>.Continuation) {
        state.withLock { state in
            state.readers[number] = continuation
            if let last = state.last { continuation.yield(last) }
            guard state.tellers.isEmpty else { return }
            state.tellers = [Task { await self.tellViews() }, Task { await self.tellLife() }]
        }
    }

    private func left(_ number: Int) {
        streams.ended(number)
        state.withLock { state in
            state.readers[number] = nil
            guard state.readers.isEmpty else { return }
            state.tellers.forEach { $0.cancel() }
            (state.tellers, state.last) = ([], nil)
        }
    }

    private func tellViews() async {
        var revision = 0
        while !Task.isCancelled {
            let view = revision == 0 ? await board.latest() : await board.view(after: revision)
            revision = view.revision
            await tell(text(view), isView: true)
        }
    }

    private func tellLife() async {
        while (try? await Task.sleep(for: EventFeed.longestSilence)) != nil {
            await tell(EventFeed.stillHere, isView: false)
        }
    }

    private func tell(_ text: String, isView: Bool) async {
        var readers = state.withLock { state -> ArraySlice<AsyncStream<String>.Continuation> in
            // Others tell whoever has come since this one was cancelled.
            guard !Task.isCancelled else { return [] }
            if isView { state.last = text }
            return Array(state.readers.values)[...]
        }
        while !readers.isEmpty {
            for reader in readers.prefix(EventFeed.crowd) { reader.yield(text) }
            readers = readers.dropFirst(EventFeed.crowd)
            if !readers.isEmpty { try? await Task.sleep(for: EventFeed.betweenCrowds) }
        }
    }
}
