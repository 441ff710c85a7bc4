import Foundation
import Testing

/// `make install`, as under sudo: it installs what was built and builds nothing.
@Suite("make install")
struct InstallTests {
    @Test("installs the program without its symbols, and links by the names of the roles that run it")
    func stripped() async throws {
        let work = try Workplace()
        let makefile = Program.root.appending(path: "Makefile").path
        let install = try await work.bash(
            """
            install -D "$FARM" .build/release/farm && nm .build/release/farm > symbols && [ -s symbols ] &&
            make --file '\(makefile)' install PREFIX="$PWD/installed" SUDO_USER=somebody
            """)
        try #require(install.status == 0, "\(install.error)")
        let symbols = try await work.bash("nm installed/bin/farm")
        #expect(symbols.output.isEmpty && symbols.error.contains("no symbols"), "\(symbols.error)")
        let whole = try await work.bash("nm .build/release/farm | grep -c main")
        #expect(whole.status == 0, "what was built keeps its symbols")
        let named = try await work.bash("installed/bin/farm --version && installed/bin/farm-produce --help")
        #expect(named.status == 0)
        #expect(named.output.contains("farm produce"), "\(named.output)")
    }
}
