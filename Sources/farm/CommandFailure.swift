import Model
import Operations
import Pipeline

/// How a command ends when it does not succeed.
struct CommandFailure: Error {
    /// 1: failed; 2: unusable arguments or configuration; 3: done but for what was refused; 130: interrupted.
    var exitCode: Int32
    /// For people, on standard error; empty if all is said.
    var message: String

    /// A line: what it quotes can forge no other.
    static func failed(_ line: String) -> CommandFailure {
        CommandFailure(exitCode: 1, message: line.escapingSteering())
    }

    /// A line, likewise.
    static func unusable(_ line: String) -> CommandFailure {
        CommandFailure(exitCode: 2, message: line.escapingSteering())
    }
}

extension CommandFailure {
    init(_ fault: OperationFault) { self.init(exitCode: fault.kind == .unusable ? 2 : 1, message: fault.message) }

    /// A fault in a line, and below it the script that mends it, as it has to be pasted.
    init(_ fault: PortFault) {
        let script = fault.script.map { "\n" + $0.escapingSteering(keeping: "\n") }
        self.init(
            exitCode: fault.kind == .unusable ? 2 : 1, message: fault.description.escapingSteering() + (script ?? ""))
    }
}
