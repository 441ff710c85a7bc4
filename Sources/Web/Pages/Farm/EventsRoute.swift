import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import ServiceLifecycle

extension Site {
    /// Tells, by server-sent events (HTML Standard, section 9.2), that there is something new to see. What it is, the pages
    /// ask for themselves.
    func addEvents(to router: Router<Context>) {
        let (board, streams) = (board, streams)
        router.answer(
            "/events",
            [
                .get: { request, _ in
                    _ = try request.query([])
                    let views = liveViews(of: board, in: streams)
                    return Response(
                        status: .ok,
                        headers: [
                            .contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no",
                        ],
                        body: ResponseBody { writer in
                            // Ends, and so the answer, when the server is told to stop, or when there are too many.
                            for await view in views.cancelOnGracefulShutdown() {
                                let text = view.map { "event: farm\ndata: \($0.revision)\n\n" } ?? ": still here\n\n"
                                try await writer.write(ByteBuffer(string: text))
                            }
                            try await writer.finish(nil)
                        })
                }
            ])
    }
}

/// How long nothing is said at most. Proxies close a connection on which nothing comes for a minute, and a reader that has
/// gone is noticed when something is written to it.
private let longestSilence = Duration.seconds(15)

/// The views as they come, and nil from time to time. What a slow reader has missed is left out.
/// - Parameter streams: may end it when others have begun.
func liveViews(of board: FarmBoard, in streams: EventStreams) -> AsyncStream<FarmView?> {
    // Room for one of each, so that neither drives out the other.
    AsyncStream(bufferingPolicy: .bufferingNewest(2)) { continuation in
        let signs = Task {
            // Until the reader is gone, which cancels it.
            while (try? await Task.sleep(for: longestSilence)) != nil { continuation.yield(nil) }
        }
        let task = Task {
            var view = await board.latest()
            continuation.yield(view)
            while !Task.isCancelled {
                view = await board.view(after: view.revision)
                continuation.yield(view)
            }
            continuation.finish()
        }
        let number = streams.number()
        continuation.onTermination = { _ in
            streams.ended(number)
            task.cancel()
            signs.cancel()
        }
        streams.begin(number) { continuation.finish() }
    }
}
