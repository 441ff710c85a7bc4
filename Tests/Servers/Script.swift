import Foundation
import Glibc

/// Runs a server's script to its end.
/// - Returns: what it wrote.
/// - Throws: `ServerFailure` with what it wrote, when it failed.
@discardableResult
func script(_ kind: String, _ arguments: [String]) async throws -> String {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../scripts/servers/\(kind).sh").standardizedFileURL.path
    // A file, not a pipe: nobody waits for the end of what a server may hold.
    let output = FileManager.default.temporaryDirectory.appendingPathComponent("farm-script-\(uniqueName())").path
    defer { try? FileManager.default.removeItem(atPath: output) }
    let status = try await offPool { try spawn([path] + arguments, output: output) }
    let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    guard status == 0 else { throw ServerFailure("\(kind).sh \(arguments.joined(separator: " ")):\n\(text)") }
    return text
}

@discardableResult
func script(_ kind: String, _ arguments: String...) async throws -> String { try await script(kind, arguments) }

/// Runs a command to its end. Foundation's `Process` would hand it the signals that its thread has blocked, and be told of
/// its end only with that of every other child that was launched at the same moment.
/// - Returns: the status of `waitpid`.
private func spawn(_ command: [String], output: String) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    let arguments = command.map { strdup($0) }
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let code = posix_spawn(&child, command[0], &actions, &attributes, arguments + [nil], environ)
    guard code == 0 else { throw ServerFailure("\(command[0]): \(String(cString: strerror(code)))") }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return status
}

/// Runs what blocks on a thread of its own, so that it keeps no other test waiting.
func offPool<Value: Sendable>(_ work: @Sendable @escaping () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
