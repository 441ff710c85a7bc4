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
                    let views = board.views()
                    return Response(
                        status: .ok,
                        headers: [
                            .contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no",
                        ],
                        body: ResponseBody { writer in
                            // Ends, and so the answer, when the server is told to stop.
                            for await view in views.cancelOnGracefulShutdown() {
                                try await writer.write(ByteBuffer(string: "event: farm\ndata: \(view.revision)\n\n"))
                            }
                            try await writer.finish(nil)
                        })
                }
            ])
    }
}
