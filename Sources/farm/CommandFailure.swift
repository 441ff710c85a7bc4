import Model
import Operations
import Pipeline

/// How a command ends if it does not succeed.
struct CommandFailure: Error {
    /// 1: failed; 2: unusable arguments or configuration; 3: done except for what was refused; 130: interrupted.
    var exitCode: Int32
    /// The message on standard error. Empty if everything has been said.
    var message: String

    /// A failure with one line. Text that it quotes cannot forge another line.
    static func failed(_ line: String) -> CommandFailure {
        CommandFailure(exitCode: 1, message: line.escapingSteering())
    }

    /// Unusable arguments or configuration, with one line.
    static func unusable(_ line: String) -> CommandFailure {
        CommandFailure(exitCode: 2, message: line.escapingSteering())
    }
}

extension CommandFailure {
    init(_ fault: OperationFault) { self.init(exitCode: fault.kind == .unusable ? 2 : 1, message: fault.message) }

    /// A fault on one line, and below it the script that mends it, ready to be pasted.
    init(_ fault: PortFault) {
        let script = fault.script.map { "\n" + $0.escapingSteering(keeping: "\n") }
        self.init(
            exitCode: fault.kind == .unusable ? 2 : 1, message: fault.description.escapingSteering() + (script ?? ""))
    }
}
