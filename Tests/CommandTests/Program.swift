import Doubles
import Foundation
import Model
import Synchronization
import Testing

/// The built binary, run as a user runs it.
enum Program {
    /// Beside the test bundle, which the same build made.
    static let url: URL = {
        if let named = ProcessInfo.processInfo.environment["FARM_BINARY"] { return URL(fileURLWithPath: named) }
        return URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "farm")
    }()

    /// The root of the package.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The path of a script beside these tests.
    static func tool(_ name: String) -> String { root.appending(path: "Tests/CommandTests/Doubles/\(name)").path }
}

/// A folder of its own to run commands in: its farm.db, its configuration, nothing of the machine's.
final class Workplace: Sendable {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "farm-command-\(UUID().text)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func write(_ name: String, _ text: String) throws {
        let url = folder.appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// Copies a sample photo here.
    @discardableResult
    func photo(_ name: String, as copy: String? = nil) throws -> String {
        let target = path(copy ?? name)
        let folder = URL(fileURLWithPath: target).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Program.root.appending(path: "examples/photos/\(name)").path, toPath: target)
        return target
    }

    /// A service_config.json of these services on loopback, with the post-processing roles.
    func configure(_ ports: [(service: String, port: Int)], extra: [JSON.Member] = [], roles: Bool = true) throws {
        var services = ports.map { service, port in
            let category = service == "face" || service == "pose" ? "spatial_only" : "primary"
            return JSON.Member(
                service,
                .object(
                    [
                        JSON.Member("host", "127.0.0.1"), JSON.Member("port", .int(Int64(port))),
                        JSON.Member("category", .string(category)),
                    ] + extra))
        }
        if roles {
            services += PostProcessing.allCases.map {
                JSON.Member($0.rawValue, .object(["host": "localhost", "port": 0, "category": "post_processing"]))
            }
        }
        try write("service_config.json", JSON.object(["services": .object(services)]).text)
    }

    /// Runs a command to its end.
    func farm(
        _ arguments: String..., environment: [String: String] = [:], calledAs name: String? = nil
    ) async throws -> Finished {
        try await start(arguments, environment: environment, calledAs: name).finished()
    }

    func farm(_ arguments: [String], calledAs name: String? = nil) async throws -> Finished {
        try await start(arguments, calledAs: name).finished()
    }

    /// Starts a command that goes on running.
    func start(_ arguments: [String], environment: [String: String] = [:], calledAs name: String? = nil) throws
        -> Running
    {
        var executable = Program.url
        if let name {
            executable = folder.appending(path: name)
            if !FileManager.default.fileExists(atPath: executable.path) {
                try FileManager.default.createSymbolicLink(at: executable, withDestinationURL: Program.url)
            }
        }
        // Nothing of the machine's settings reaches the program.
        var variables = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder.path]
        variables.merge(environment) { $1 }
        return try Running(executable, arguments, in: folder, variables)
    }

    /// The rows of a query on the workplace's farm.db, by the sqlite3 tool: columns separated by `|`.
    func rows(_ sql: String) async throws -> [String] {
        let tool = try Running(
            URL(fileURLWithPath: "/usr/bin/sqlite3"), ["-cmd", ".timeout 10000", path("farm.db"), sql], in: folder,
            ["PATH": "/usr/bin:/bin"])
        let finished = try await tool.finished()
        try #require(finished.status == 0, "\(finished.error)")
        return finished.output.split(separator: "\n").map(String.init)
    }

    func count(_ sql: String) async throws -> Int {
        let first = try await rows(sql).first
        return try #require(first.flatMap { Int($0) })
    }
}

/// A command that has ended.
struct Finished: Sendable {
    /// The exit code; 128 + the signal that killed it.
    var status: Int32
    var output: String
    var error: String

    func json() throws -> JSON { try JSON(parsing: output) }
}

/// A command that runs.
final class Running: Sendable {
    // Foundation's Process is used from one task at a time here, but is not marked so.
    private let process: Mutex<Process>
    private let outputURL: URL
    private let errorURL: URL
    private let ended: AsyncStream<Int32>
    let pid: Int32

    init(_ executable: URL, _ arguments: [String], in folder: URL, _ environment: [String: String]) throws {
        let id = UUID().text
        outputURL = folder.appending(path: ".out-\(id)")
        errorURL = folder.appending(path: ".err-\(id)")
        // Files, not pipes: nothing fills up when nobody reads.
        for file in [outputURL, errorURL] { try Data().write(to: file) }
        let process = Process()
        // However the tests were started, `nohup make test &` too: what ignores a signal hands that down.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["--default-signal=HUP,INT", executable.path] + arguments
        process.environment = environment
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        let (output, error) = (try FileHandle(forWritingTo: outputURL), try FileHandle(forWritingTo: errorURL))
        // Foundation keeps a Process that has ended, and with it what it was given.
        defer { for handle in [output, error] { try? handle.close() } }
        (process.standardOutput, process.standardError) = (output, error)
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { process in
            let status = process.terminationStatus
            continuation.yield(process.terminationReason == .uncaughtSignal ? 128 + status : status)
            continuation.finish()
        }
        try process.start()
        pid = process.processIdentifier
        ended = stream
        self.process = Mutex(process)
    }

    /// A test that gave up leaves nothing running.
    deinit { if isRunning { signal(SIGTERM) } }

    var isRunning: Bool { process.withLock { $0.isRunning } }

    /// What it has written to standard error so far.
    var error: String { (try? String(contentsOf: errorURL, encoding: .utf8)) ?? "" }
    var output: String { (try? String(contentsOf: outputURL, encoding: .utf8)) ?? "" }

    /// Whether it has a handler for this signal.
    func handles(_ number: Int32) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let mask = status.firstMatch(of: /SigCgt:\s+([0-9a-f]+)/).flatMap { UInt64($0.1, radix: 16) } ?? 0
        return mask & 1 << UInt64(number - 1) != 0
    }

    func signal(_ number: Int32) {
        // 0 would be every process of this group.
        if pid > 0 { kill(pid, number) }
    }

    /// Waits for its end.
    func finished() async throws -> Finished {
        var status: Int32 = -1
        for await ended in ended { status = ended }
        return Finished(status: status, output: output, error: error)
    }
}

/// Waits until a condition holds; two minutes are far more than anything here takes, so that only ends what hangs. Where
/// programs are slow, FARM_PATIENCE makes it other minutes.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let minutes = ProcessInfo.processInfo.environment["FARM_PATIENCE"].flatMap { Double($0) } ?? 2
    let end = ContinuousClock.now + .seconds(60 * minutes)
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("did not come: \(what)")
}
