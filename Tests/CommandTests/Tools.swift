import Foundation
import Testing

extension Workplace {
    /// Runs a script of bash; `$FARM` is the built binary.
    func bash(_ script: String, environment: [String: String] = [:]) async throws -> Finished {
        try await startBash(script, environment: environment).finished()
    }

    func startBash(_ script: String, environment: [String: String] = [:]) throws -> Running {
        try tool("/bin/bash", ["-c", script], environment)
    }

    /// Runs a script of Python by the interpreter that `make setup` has given the tests' packages.
    func python(_ script: String) async throws -> Finished {
        let finished = try await python(["-c", script])
        try #require(finished.status == 0, "`make setup` mends a missing module: \(finished.error)")
        return finished
    }

    /// Runs a file of Python by that interpreter.
    func python(_ arguments: [String]) async throws -> Finished {
        let python =
            ProcessInfo.processInfo.environment["FARM_TEST_PYTHON"]
            ?? Program.root.appending(path: ".build-python/bin/python3").path
        return try await tool(python, arguments, [:]).finished()
    }

    /// Starts a command on a pseudo terminal; what the terminal shows is its output. SIGUSR1 presses Ctrl-C.
    func startOnTerminal(
        _ arguments: [String], rows: Int = 24, columns: Int = 100, environment: [String: String] = [:]
    ) throws -> Running {
        try tool(
            "/usr/bin/python3", [Program.tool("terminal.py"), "\(rows)", "\(columns)", Program.url.path] + arguments,
            environment)
    }

    private func tool(_ path: String, _ arguments: [String], _ environment: [String: String]) throws -> Running {
        var variables = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder.path, "FARM": Program.url.path]
        variables.merge(environment) { $1 }
        return try Running(URL(fileURLWithPath: path), arguments, in: folder, variables)
    }
}

/// Mounts of a process's own, which no other sees and which go with it.
enum Mounting {
    /// Begins a script: afterwards it may mount, as root or in a user namespace.
    static let shell = "unshare --map-root-user --mount bash"

    /// Whether this machine lets it.
    static func isAllowed() async throws -> Bool {
        try await Workplace().bash("\(shell) -c 'mount -t tmpfs tmpfs /mnt'").status == 0
    }
}
