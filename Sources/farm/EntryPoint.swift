import ArgumentParser
import CGlibc
import Glibc
import Operations

@main
enum EntryPoint {
    static func main() async {
        Signals.noteHangups()
        StandardStreams.keepClosed()
        // If the reader of our output goes away, the write notices.
        signal(SIGPIPE, SIG_IGN)
        // Otherwise malloc keeps a heap for every thread, most of which is free: a tenth to a quarter of all memory.
        // Each thread still has its own cache. Waiting of threads for each other could not be measured
        // (docs/performance.md).
        mallopt(M_ARENA_MAX, 1)
        if let few = DescriptorLimit.raise() {
            Terminal.error(
                "farm: warning: only \(few) files can be open at once: raise it (ulimit -Hn, or LimitNOFILE)")
        }
        do {
            let arguments = CalledName.arguments(CommandLine.arguments)
            try checkCommand(arguments.first)
            var command = try FarmCommand.parseAsRoot(arguments)
            if (command as? any RoleCommand)?.serves != true { Signals.endByHangup() }
            try DamagedArguments.check(command)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            try checkOutput()
            exit(Signals.shared.exitCode)
        } catch let failure as CommandFailure {
            end(failure)
        } catch let fault as OperationFault {
            end(CommandFailure(fault))
        } catch {
            finish(with: error)
        }
    }

    private static func end(_ failure: CommandFailure) -> Never {
        if !failure.message.isEmpty { Terminal.error("farm: \(failure.message)") }
        exit(failure.exitCode)
    }

    /// If the output could not be written, the command has failed.
    private static func checkOutput() throws(CommandFailure) {
        if let fault = Terminal.outputFault { throw .failed(fault) }
    }

    /// ArgumentParser would call an unknown command only an unexpected argument.
    private static func checkCommand(_ name: String?) throws {
        let groups = FarmCommand.configuration.groupedSubcommands
        let known = groups.flatMap { $0.subcommands }.compactMap { $0.configuration.commandName }
        guard let name, !name.hasPrefix("-"), name != "help", !known.contains(name) else { return }
        throw CommandFailure.unusable("unknown command \(name); known are \(known.joined(separator: ", "))")
    }

    /// Ends as ArgumentParser asks: help and version are no failure, unusable arguments have exit code 2.
    private static func finish(with error: any Error) -> Never {
        let message = FarmCommand.fullMessage(for: error)
        switch FarmCommand.exitCode(for: error) {
        case .success:
            Terminal.output(message)
            guard let fault = Terminal.outputFault else { exit(0) }
            Terminal.error("farm: \(fault)")
            exit(1)
        case .validationFailure:
            Terminal.error(message)
            exit(2)
        default:
            Terminal.error("farm: \(error)")
            exit(1)
        }
    }
}
