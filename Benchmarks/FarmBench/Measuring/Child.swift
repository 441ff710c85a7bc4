import Foundation
import Glibc

/// A program that runs. Its output goes to files, so that nothing fills up.
final class Child {
    let pid: pid_t
    private let name: String
    private let outputPath: String
    private let errorPath: String
    private var status: Int32?

    /// - Parameters:
    ///   - environment: all of it; nothing is inherited but PATH.
    ///   - input: the file that it reads.
    /// - Throws: `BenchFault`.
    init(
        _ program: String, _ arguments: [String], in folder: URL, environment: [String: String] = [:],
        input: String = "/dev/null"
    ) throws {
        let id = UUID().uuidString
        name = ([URL(filePath: program).lastPathComponent] + arguments.prefix(3)).joined(separator: " ")
        outputPath = folder.appending(path: ".out-\(id)").path
        errorPath = folder.appending(path: ".err-\(id)").path
        var variables = environment
        variables["PATH"] = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        pid = try Child.spawn(
            program, arguments, in: folder.path, variables.map { "\($0)=\($1)" }, input, outputPath, errorPath)
    }

    deinit {
        if status == nil { Glibc.kill(pid, SIGKILL) }
        for path in [outputPath, errorPath] { unlink(path) }
    }

    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }

    /// Whether it has ended.
    var hasEnded: Bool {
        if status != nil { return true }
        var raw: Int32 = 0
        guard waitpid(pid, &raw, WNOHANG) == pid else { return false }
        status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
        return true
    }

    /// Waits for its end.
    /// - Throws: `BenchFault` with what it said, if it fails or takes longer than that.
    @discardableResult
    func finished(within seconds: Double = 900) throws -> String {
        let end = Clock.wall + seconds
        while !hasEnded {
            guard Clock.wall < end else { throw BenchFault("\(name): still running after \(seconds) s") }
            // A millisecond is little beside what is measured so; waitpid has no deadline to wait with.
            usleep(1000)
        }
        guard status == 0 else { throw BenchFault("\(name): exit code \(status ?? -1): \(errors.suffix(2000))") }
        return output
    }

    /// Asks it to end, and waits.
    func terminate() throws {
        Glibc.kill(pid, SIGTERM)
        try finished(within: 60)
    }

    private static func spawn(
        _ program: String, _ arguments: [String], in folder: String, _ environment: [String], _ input: String,
        _ output: String, _ errors: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        // Dispatch's threads block nearly all signals; a child would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let env = "/usr/bin/env"
        let words = ([env, "-C", folder, program] + arguments).map { strdup($0) }
        let variables = environment.map { strdup($0) }
        defer { for text in words + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, env, &actions, &attributes, words + [nil], variables + [nil])
        guard code == 0 else { throw BenchFault("\(program): \(String(cString: strerror(code)))") }
        return pid
    }
}
