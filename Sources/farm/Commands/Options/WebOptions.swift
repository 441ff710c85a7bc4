import ArgumentParser
import Composition
import Operations
import Pipeline
import Settings

/// For commands that can show what they do as pages.
struct WebOptions: ParsableArguments {
    @Flag(help: "Serve pages that show the photos and the work meanwhile; see farm web --help.") var web = false
    @Option(
        help: ArgumentHelp("Where --web listens: a port, which is on loopback, or HOST:PORT.", valueName: "host:port"))
    var listen = WebOptions.usual

    /// Where pages are if nobody says otherwise.
    static let usual = "127.0.0.1:8090"

    func validate() throws {
        if listen != WebOptions.usual, !web { throw ValidationError("--listen goes with --web.") }
    }
}

extension OpenSession<Backends> {
    /// Serves pages while `body` runs, if that is asked for.
    /// - Parameter body: gets the address of the first page. nil if no pages are served.
    /// - Throws: `CommandFailure` if it cannot listen, and what `body` throws.
    func servingPages<Value: Sendable>(
        _ options: WebOptions, _ body: (String?) async throws -> Value
    ) async throws -> Value {
        guard options.web else { return try await body(nil) }
        let address = try WebServing.address(options.listen, settings)
        let backends = backends
        let serving = WebServing(
            parts: OpenParts(backends: backends), store: { backends.store }, heartbeats: { backends.heartbeats },
            context: context)
        return try await serving.serving(at: address, log: log("web")) { try await body($0) }
    }
}

/// Queue and store that are open already.
private struct OpenParts: ReadingParts {
    let backends: Backends

    func queue() async throws -> Queue { backends.queue }
    func store() async throws -> Store { backends.store }
}
