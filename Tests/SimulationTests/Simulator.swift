import Doubles
import Foundation

/// The built `simulate`, beside the test bundle, which the same build made.
enum Simulator {
    struct Finished {
        var status: Int32
        /// What it said, on stdout and stderr.
        var output: String

        var lines: [Substring] { output.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    private static let url = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "simulate")

    static func run(_ arguments: String...) async throws -> Finished { try await run(arguments) }

    static func run(_ arguments: [String]) async throws -> Finished {
        let file = FileManager.default.temporaryDirectory.appending(path: "farm-simulate-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let output = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        (process.standardOutput, process.standardError) = (output, output)
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.start() } catch { ended.resume(throwing: error) }
        }
        try output.close()
        return Finished(status: status, output: try String(contentsOf: file, encoding: .utf8))
    }
}
