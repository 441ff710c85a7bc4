import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import ServiceLifecycle

extension Site {
    /// Tells, by server-sent events (HTML Standard, section 9.2), that there is something new to see. What it is, the pages
    /// ask for themselves.
    func addEvents(to router: Router<Context>) {
        let board = board
        router.answer(
            "/events",
            [
                .get: { _, _ in
                    Response(
                        status: .ok,
                        headers: [
                            .contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no",
                        ],
                        body: ResponseBody { writer in
                            // Ends, and so the answer, when the server is told to stop.
                            for await revision in revisions(of: board).cancelOnGracefulShutdown() {
                                let text = revision.map { "event: farm\ndata: \($0)\n\n" } ?? ": still here\n\n"
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

/// The numbers of the views, as they come, and nil from time to time. What a slow reader has missed is left out.
private func revisions(of board: FarmBoard) -> AsyncStream<Int?> {
    // Room for one of each, so that none drives out the other.
    AsyncStream(bufferingPolicy: .bufferingNewest(2)) { continuation in
        let signs = Task {
            while (try? await Task.sleep(for: longestSilence)) != nil { continuation.yield(nil) }
        }
        let task = Task {
            var revision = await board.latest().revision
            continuation.yield(revision)
            while !Task.isCancelled {
                revision = await board.view(after: revision).revision
                continuation.yield(revision)
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in
            task.cancel()
            signs.cancel()
        }
    }
}
