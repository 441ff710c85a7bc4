import ArgumentParser
import Model
import Operations
import Pipeline

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Ends the pause of services or roles on all machines.",
        discussion: """
            Only pauses that you have set yourself end: that is, the same user on the same machine, or the same --by. So a \
            script cannot undo what a person has decided. With --all it does not matter who has set them; without a \
            service, --all ends every pause. If one of the services was paused by somebody else, none is resumed.

            Examples:
              farm resume blip
              farm resume blip clip --all     whoever has paused them
              farm resume --all               all that is paused
              farm resume yolov8 --by backup
            """)

    @Argument(help: "The services or roles.", completion: .list(CatalogueService.all.map(\.name)))
    var services: [String] = []
    @Flag(help: "Whoever has paused them; without a service, all that is paused.") var all = false
    @OptionGroup var control: ControlOptions

    func validate() throws {
        if services.isEmpty && !all { throw ValidationError("Name the services, or --all for all that is paused.") }
    }

    func run() async throws {
        do {
            let done = try await control.with { try await $0.resume(services, whoever: all) }
            if !done.untouched.isEmpty {
                Terminal.error("farm: not paused: \(done.untouched.joined(separator: ", "))")
            } else if done.resumed.isEmpty {
                Terminal.error("farm: nothing is paused")
            }
            if control.json { return control.report(done.resumed) }
            for control in done.resumed { Terminal.output("\(control.service): resumed") }
        } catch let fault as OperationFault {
            throw fault.offering("--all resumes it all the same")
        }
    }
}
