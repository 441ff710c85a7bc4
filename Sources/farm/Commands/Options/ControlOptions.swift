import ArgumentParser
import Composition
import Model
import Operations
import Pipeline

/// What pause, resume and limit have in common.
struct ControlOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Act under this name instead of user@machine. A script that names itself resumes only what it has paused.",
            valueName: "name"))
    var by: String?
    @Flag(help: "Print what is set as JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if let by, by.filter({ !$0.isWhitespace }).isEmpty { throw ValidationError("--by names nobody.") }
    }

    /// Opens the store, and nothing else: a farm whose broker is away can be paused, too.
    func with<Value: Sendable>(_ body: (FleetControl) async throws -> Value) async throws -> Value {
        try await OpenSession.with(options) { connections in
            try await connections.store().store
        } _: { (session: OpenSession<Store>) in
            try await body(
                FleetControl(session.backends, session.settings.directory, who: by ?? ThisProcess.user))
        }
    }

    /// Prints what is set from now on.
    func report(_ controls: [ServiceControl]) {
        if json {
            Terminal.output(JSON.array(controls.map(\.json)).text)
        } else {
            for control in controls { Terminal.output("\(control.service): \(control.text)") }
        }
    }
}

extension OperationFault {
    /// With the way to do it all the same, where somebody else stands in the way.
    func offering(_ way: String) -> CommandFailure {
        var failure = CommandFailure(self)
        if kind == .conflict { failure.message += "; \(way)" }
        return failure
    }
}
