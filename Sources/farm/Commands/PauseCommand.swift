import ArgumentParser
import Foundation
import Model
import Operations
import Pipeline

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Pauses services or roles on all machines, until they are resumed.",
        discussion: """
            Every worker obeys within five seconds: it ends the jobs that it has begun, gives back the others, and takes \
            no more. Jobs stay in their queues. A pause outlasts restarts of workers and servers; it ends by farm resume, \
            or by itself with --until or --for. farm status shows who has paused what, and why.

            The roles are bbox_merger, spatial_enrichment and consensus. While a crop service (face, pose, colors) is \
            paused, the enricher goes on without it and makes up for it afterwards.

            Examples:
              farm pause blip
              farm pause blip clip --for 2h --reason "new model"
              farm pause ocr --until "2026-12-01 18:00"      in UTC
              farm pause yolov8 --by backup                  a script that resumes only its own pause
            """)

    @Argument(help: "The services or roles.", completion: .list(CatalogueService.all.map(\.name)))
    var services: [String]
    @Option(
        help: ArgumentHelp(
            "End the pause then: 2026-12-01 18:00 in UTC, or with an offset such as +01:00; or 18:00, the next one.",
            valueName: "time"))
    var until: String?
    @Option(
        name: .customLong("for"), help: ArgumentHelp("End the pause after this time: 30m, 2h, 7d.", valueName: "age"))
    var span: Age?
    @Option(help: ArgumentHelp("Why, for those who see it in farm status.", valueName: "text")) var reason: String?
    @Flag(help: "Replace a pause that somebody else has set.") var replace = false
    @OptionGroup var control: ControlOptions

    func validate() throws {
        if until != nil && span != nil { throw ValidationError("--until or --for, not both.") }
        if let span, span.seconds <= 0 { throw ValidationError("--for must be longer than nothing.") }
    }

    func run() async throws {
        var end = span.map { FleetControl.PauseEnd.after($0.seconds) }
        if let until { end = try FleetControl.PauseEnd(time: until, now: Date()) }
        do {
            control.report(
                try await control.with { [end] in
                    try await $0.pause(services, until: end, reason: reason, replaces: replace)
                })
        } catch let fault as OperationFault {
            throw fault.offering("--replace puts yours in its place")
        }
    }
}
