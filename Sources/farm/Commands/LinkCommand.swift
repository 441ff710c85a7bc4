import ArgumentParser
import Operations

struct LinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "Creates links that run farm's roles under their names.",
        discussion: """
            It creates links for the six roles (produce, work, merge, enrich, consense, monitor), the same names as \
            farm-ROLE, and the names of the older scripts (generic_producer, generic_worker …), each with and \
            without .py. The folder is created if it does not exist. Existing files that are not links to farm are \
            left alone.

            Examples:
              farm link ~/bin
              farm link /opt/farm/bin && SERVICE_NAME=blip /opt/farm/bin/generic_worker.py
            """)

    @Argument(help: "The folder for the links.", completion: .directory) var folder: String

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
