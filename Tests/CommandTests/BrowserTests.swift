import Foundation
import Testing

/// The pages of `farm web` in Debian's Chromium, by the scripts of Tests/Browser.
@Suite("In a browser", .serialized)
struct BrowserTests {
    @Test("each page and act, by keyboard, on a phone, without JavaScript, and below a proxy's path")
    func pages() async throws {
        let workplace = try Workplace()
        let script = Program.root.appending(path: "Tests/Browser/run.py").path
        let finished = try await workplace.python([script, Program.url.path])
        #expect(finished.status == 0, "\(finished.output)\n\(finished.error)")
    }
}
