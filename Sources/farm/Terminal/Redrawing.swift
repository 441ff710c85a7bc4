import Pipeline

/// Prints once, or again and again until a signal.
struct Redrawing {
    private static let interval = Duration.seconds(2)

    let isWatched: Bool
    let isJSON: Bool

    func run(_ text: () async throws -> String) async throws {
        guard isWatched else { return Terminal.output(try await text()) }
        let drain = Signals.shared.drain()
        while !drain.isBegun {
            let page = try await text()
            Terminal.output(Terminal.outputIsTerminal && !isJSON ? Terminal.clear + page : page)
            _ = try await drain.until { try await Task.sleep(for: Redrawing.interval) }
        }
    }
}
