import ArgumentParser
import Composition
import Foundation
import Model
import Operations
import Pipeline

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Tells how long work will take, what holds it up, and what another worker or box would gain.",
        discussion: """
            The figures are those of the farm as it is: workers that are alive, minutes of the last hour in which jobs \
            waited, the times of the answers, and what waits. --figures prints them as a file that --file reads, so that \
            you can change them and ask again; docs/planning.md describes its fields. A time is a range, from how much \
            the figures vary. Where too little was measured, the plan says so.

            What broker and database can do comes from the file, or else from the table in docs/performance.md, which \
            was measured on a small machine.

            The exit code is 1 if nothing can be told, and 2 if the file is unusable: the message names the field.

            Examples:
              farm plan                                     how long what waits takes
              farm plan --images 1000000                    how long so many images would take, alone
              farm plan --by "2026-12-01 18:00"             what must be added to be done by then
              farm plan --figures > plan.json
              farm plan --file plan.json --images 50000 --json | jq .seconds
            """)

    @Option(parsing: .unconditional, help: "Plan so many images, instead of what waits.") var images: Int?
    @Option(
        help: ArgumentHelp(
            "What must be added to be done by then: 2026-12-01 18:00 in UTC, or with an offset such as +01:00; or 18:00, the next one.",
            valueName: "time"))
    var by: String?
    @Option(
        help: ArgumentHelp(
            "Figures to plan with, instead of those of the farm; - for standard input.", valueName: "file"))
    var file: String?
    @Flag(help: "Print the figures as JSON that --file reads, and exit.") var figures = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if let images, !(1...1_000_000_000_000).contains(images) {
            throw ValidationError("--images must be 1 to 1000000000000, is \(images).")
        }
    }

    func run() async throws {
        let now = Date()
        var end: Date?
        if let by {
            guard case .at(let date) = try FleetControl.PauseEnd(time: by, now: now) else { return }
            guard date > now else { throw CommandFailure.unusable("--by must be a time to come, is \(by)") }
            end = date
        }
        let known = if let file { try read(file) } else { try await live() }
        guard !figures else { return Terminal.output(known.json.text) }
        let plan = FarmPlan(known, images.map(PlannedWork.images) ?? .waiting, by: end, now: now)
        Terminal.output(json ? plan.json.text : plan.text)
        if plan.isUnknown {
            throw CommandFailure.failed(
                "too little was measured to tell: let the farm work for some minutes, or name figures with --file")
        }
    }

    private func live() async throws -> PlanFigures {
        try await OpenSession.with(options, logs: .ifPossible) {
            ReadingBackends($0)
        } _: { session in
            let status = try await FarmStatus(
                session.backends, session.settings.directory,
                readsReplica: session.settings.database?.readHost != nil)
            return try PlanFigures(
                live: status, session.settings.directory, isEmbedded: session.settings.database == nil)
        }
    }

    /// - Throws: `CommandFailure` that names the file and the field.
    private func read(_ path: String) throws -> PlanFigures {
        let bytes: [UInt8]
        do {
            let handle = path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: path))
            guard let data = try handle.read(upToCount: PlanCommand.largest + 1), data.count <= PlanCommand.largest
            else {
                throw CommandFailure.unusable("\(path): is empty, or larger than 1 MiB")
            }
            bytes = Array(data)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure.unusable("\(path): cannot be read: \(error.localizedDescription)")
        }
        do {
            return try PlanFigures(json: JSON(parsing: bytes))
        } catch let fault as OperationFault {
            throw CommandFailure.unusable("\(path): \(fault.message)")
        } catch {
            throw CommandFailure.unusable("\(path): is no JSON: \(error)")
        }
    }

    private static let largest = 1 << 20
}
