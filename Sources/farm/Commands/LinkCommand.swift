import ArgumentParser
import Operations

struct LinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "Makes the links by whose names farm runs its roles.",
        discussion: """
            The six roles (produce, work, merge, enrich, consense, monitor), the same as farm-ROLE, and the names of the \
            older scripts (generic_producer, generic_worker …), each with and without .py. The folder is made if need be; \
            what is there already stays, and what is no link to farm is not touched.

            Examples:
              farm link ~/bin
              farm link /opt/farm/bin && SERVICE_NAME=blip /opt/farm/bin/generic_worker.py
            """)

    @Argument(help: "The folder.", completion: .directory) var folder: String

    func run() throws {
        let links = try RoleLinks.ofThisProgram()
        let outcome = try links.make(in: folder)
        Terminal.output(
            "\(counted(outcome.made.count, "link")) made in \(folder) to \(links.program)"
                + (outcome.present.isEmpty ? "" : ", \(outcome.present.count) there already"))
        guard !outcome.refused.isEmpty else { return }
        for (name, reason) in outcome.refused { Terminal.error("farm: \(folder)/\(name) is \(reason): left as it is") }
        throw CommandFailure(exitCode: 1, message: "")
    }
}
