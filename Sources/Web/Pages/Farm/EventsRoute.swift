import Hummingbird

extension Site {
    /// Tells that there is something new to see. What it is, the pages ask for themselves.
    func addEvents(to router: Router<Context>) {
        let feed = EventFeed(of: board, in: streams) { "event: farm\ndata: \($0.revision)\n\n" }
        router.answer(
            "/events",
            [
                .get: { request, _ in
                    _ = try request.query([])
                    return feed.answer()
                }
            ])
    }
}
