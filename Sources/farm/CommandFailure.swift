/// How a command ends when it does not succeed.
struct CommandFailure: Error {
    /// 1: failed; 2: unusable arguments or configuration; 130: interrupted.
    var exitCode: Int32
    /// For people, on standard error; empty if all is said.
    var message: String

    static func failed(_ message: String) -> CommandFailure { CommandFailure(exitCode: 1, message: message) }
    static func unusable(_ message: String) -> CommandFailure { CommandFailure(exitCode: 2, message: message) }
}
