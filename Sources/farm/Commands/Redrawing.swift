import Pipeline

/// Prints once, or again and again until a signal comes or nobody reads it any more.
struct Redrawing {
    private static let interval = Duration.seconds(2)

    let isWatched: Bool
    let isJSON: Bool

    func run(_ text: () async throws -> String) async throws {
        guard isWatched else { return Terminal.output(try await text()) }
        let drain = Signals.shared.drain()
        var isDrawn = false
        while !drain.isBegun {
            do {
                let page = try await text()
                if Terminal.outputIsTerminal && !isJSON {
                    Terminal.redraw(page, first: !isDrawn)
                } else {
                    Terminal.output(page)
                }
                isDrawn = true
            } catch let fault as PortFault where fault.kind == .transient && isDrawn {
                // A server that restarts is looked at again.
                Terminal.error("farm: \(fault)")
            }
            guard !Terminal.outputHasNoReader else { break }
            _ = try await drain.until { try await Task.sleep(for: Redrawing.interval) }
        }
    }
}
