import ArgumentParser
import Composition
import Operations
import Settings
import Web

struct WebCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "web",
        abstract: "Serves pages that show the farm, its workers and its photos, and that steer it.",
        discussion: """
            Without --listen the pages are at http://127.0.0.1:8090/, for this machine only, and need no token. Anywhere \
            else WEB_TOKEN must be set in .env: whoever has it may read and act. Whoever has WEB_READ_TOKEN may only read. \
            To put the pages behind a proxy, see docs/web.md.

            Several may run. A server that cannot be reached is shown on the pages, and tried again. Ctrl-C or SIGTERM \
            ends it.

            Examples:
              farm web
              farm web --listen 9000
              farm web --listen 0.0.0.0:8090      with WEB_TOKEN in .env
            """)

    @Option(
        help: ArgumentHelp(
            "Listen here: a port, which is on loopback, or HOST:PORT. Port 0 takes a free one.", valueName: "host:port")
    )
    var listen = WebOptions.usual
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let session = try SettledSession(options)
        let address = try WebServing.address(listen, session.settings)
        let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
        Signals.shared.onHangup { session.output.reopen() }
        try await session.with(metrics: .always) {
            WebServing($0, session.context)
        } _: { opened in
            try await opened.sampling {
                try await opened.backends.serving(at: address, log: session.log("web")) { _ in await drain.wait() }
            }
        }
    }
}
