import ArgumentParser
import Dispatch
import Glibc
import Model

/// Asks before something that cannot be undone. Without a terminal, --yes has to be given.
struct Confirmation: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false

    /// To be called before anything is done. Checks whether there is somebody to ask.
    /// - Throws: `CommandFailure`.
    func check() throws {
        guard !yes, isatty(STDIN_FILENO) != 1 || !Terminal.errorIsTerminal else { return }
        throw CommandFailure.unusable(
            "this cannot be undone, and there is no terminal to ask on: add --yes, or look first "
                + "with --dry-run")
    }

    /// Asks, unless --yes was given. Ctrl-C is not handled yet at this point, so it ends the program.
    /// - Throws: `CommandFailure` if the answer is not yes.
    func ask(_ question: String) async throws {
        guard !yes else { return }
        Terminal.removeProgressLine()
        Terminal.write("\(question.escapingSteering()) [y/N] ", to: STDERR_FILENO)
        let answer = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: readLine()) }
        }
        guard let answer, ["y", "yes"].contains(answer.trimmingCharacters(in: .whitespaces).lowercased()) else {
            throw CommandFailure.failed("nothing was dropped")
        }
    }
}
