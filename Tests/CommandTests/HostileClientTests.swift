import Foundation
import Testing

/// `farm web` against clients that mean harm, by the scripts of Tests/HostileClients.
@Suite("Hostile clients", .serialized)
struct HostileClientTests {
    @Test("none crashes the server, gets around its rules, takes its memory, or keeps others from being served")
    func clients() async throws {
        let workplace = try Workplace()
        let script = Program.root.appending(path: "Tests/HostileClients/run.py").path
        let finished = try await workplace.python([script, Program.url.path])
        #expect(finished.status == 0, "\(finished.output)\n\(finished.error)")
    }
}
