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
                                try await writer.write(ByteBuffer(string: "event: farm\ndata: \(revision)\n\n"))
                            }
                            try await writer.finish(nil)
                        })
                }
            ])
    }
}

/// The numbers of the views, as they come. Those that a slow reader has missed are left out.
private func revisions(of board: FarmBoard) -> AsyncStream<Int> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
        let task = Task {
            var revision = await board.latest().revision
            continuation.yield(revision)
            while !Task.isCancelled {
                revision = await board.view(after: revision).revision
                continuation.yield(revision)
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
    }
}
