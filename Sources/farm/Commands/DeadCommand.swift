import ArgumentParser
import Model
import Operations
import Pipeline
import Waiting

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Lists, shows, requeues and drops dead-lettered jobs.",
        discussion: """
            A job that has failed for good, or a message that is not a job, is kept in <queue>.dead with the reason. \
            Without filters the commands apply to all of them.

            Examples:
              farm dead                                   a line for each
              farm dead --service clip --newer-than 2h
              farm dead show --image 17                   with the message
              farm dead requeue --reason timeout          try them again
              farm dead drop --older-than 7d --dry-run    how many are they?
            """,
        subcommands: [ListCommand.self, ShowCommand.self, RequeueCommand.self, DropCommand.self],
        defaultSubcommand: ListCommand.self)
}

// MARK: Looking

extension DeadCommand {
    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Prints one line for each dead letter (the default).",
            discussion: """
                Examples:
                  farm dead list --queue queue_clip --limit 20
                  farm dead list --newer-than 1h --fail-on 10 || mail -s 'jobs die' me
                  farm dead list --json | jq -r '.[] | [.reason, .image_id] | @tsv'
                """)

        @OptionGroup var selection: DeadSelection
        @Option(help: ArgumentHelp("Exit with 1 if there are this many or more.", valueName: "count")) var failOn: Int?
        @Flag(help: "Print JSON.") var json = false
        @OptionGroup var options: SettingsOptions

        func validate() throws {
            if let failOn, failOn < 1 { throw ValidationError("--fail-on must be at least 1, is \(failOn).") }
            if let failOn, let limit = selection.limit, limit < failOn {
                throw ValidationError("--limit \(limit) never shows the \(failOn) of --fail-on.")
            }
        }

        func run() async throws {
            var table = Table([
                ("queue", .left), ("reason", .left), ("image", .right), ("tries", .right), ("dead since (UTC)", .left),
                ("message", .left),
            ])
            let count = try await DeadCommand.look(selection, options, json: json) { letters, known in
                if json { return letters.map { JSON.object($0.members(service: known.service(of: $0.queue))).text } }
                return [table.next(letters.map(\.cells))]
            }
            if let failOn, count >= failOn { throw CommandFailure(exitCode: 1, message: "") }
        }
    }

    struct ShowCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Prints everything known about each dead letter, including the message itself.",
            discussion: """
                Control characters in messages are escaped.

                Examples:
                  farm dead show --image 17
                  farm dead show --queue queue_clip --reason bad_message --limit 1 --json
                """)

        @OptionGroup var selection: DeadSelection
        @Flag(help: "Print JSON.") var json = false
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await DeadCommand.look(selection, options, json: json) { letters, known in
                letters.map { letter in
                    let service = known.service(of: letter.queue)
                    return json
                        ? JSON.object(letter.wholeMembers(service: service)).text : letter.text(service: service) + "\n"
                }
            }
        }
    }

    /// How many letters are printed at once, so that the columns of a short list are aligned.
    private static let page = 200

    /// Prints letters while they are read, so that memory does not grow with their number.
    /// - Parameter texts: the texts of a batch. With `json`, one element for each letter.
    /// - Returns: how many letters there were.
    @discardableResult
    private static func look(
        _ selection: DeadSelection, _ options: SettingsOptions, json: Bool,
        _ texts: ([DeadMessage], KnownQueues) -> [String]
    ) async throws -> Int {
        var count = 0
        try await selection.with(options, logs: .ifPossible) { session, known in
            let round = try await selection.round(session, known)
            let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
            var list = JSONList()
            var gathered: [DeadMessage] = []
            func printGathered() {
                guard !gathered.isEmpty else { return }
                let texts = texts(gathered, known)
                gathered = []
                Terminal.output(json ? list.next(texts) : texts.joined(separator: "\n"))
                if Terminal.outputHasNoReader { drain.begin() }
            }
            let tally = try await go(round, drain, title: "dead letters looked at") { _, found in
                gathered += found.map(\.letter)
                if gathered.count >= page { printGathered() }
                return found.count
            } failed: { _ in
                printGathered()
            }
            printGathered()
            count = tally.done
            guard !Terminal.outputHasNoReader else { return }
            if json { Terminal.output(list.end) } else { Terminal.error("farm: " + tally.text("")) }
        }
        return count
    }
}

// MARK: Acting

extension DeadCommand {
    struct RequeueCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "requeue",
            abstract: "Puts dead jobs back into their queues, to be tried again.",
            discussion: """
                A job gets a new job_id, the same one however often its dead letter is requeued, so it is done once. The job \
                keeps a history of how it died. A dead letter is removed only when its job is safe in the queue. If the \
                command is stopped halfway, run it again.

                Examples:
                  farm dead requeue --service clip --dry-run
                  farm dead requeue --service clip --reason timeout,connection
                  farm dead requeue --image 17 18
                """)

        @OptionGroup var selection: DeadSelection
        @Flag(help: "Count what would be requeued, but change nothing.") var dryRun = false
        @Flag(help: "Print the counts as JSON.") var json = false
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await selection.with(options) { session, known in
                let round = try await selection.round(session, known)
                let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
                let report = Report(verb: "requeued", isDryRun: dryRun, isJSON: json)
                let act = dryRun ? DeadRound.counting : DeadRound.requeuing { session.time.now() }
                let tally = try await go(round, drain, title: "dead letters", act) { report.failed($0) }
                report.done(tally)
            }
        }
    }

    struct DropCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop",
            abstract: "Removes dead letters for good; asks first.",
            discussion: """
                The jobs' rows in results stay.

                Examples:
                  farm dead drop --reason bad_message --dry-run
                  farm dead drop --older-than 30d --yes
                """)

        @OptionGroup var selection: DeadSelection
        @Flag(help: "Count what would be dropped, but drop nothing.") var dryRun = false
        @OptionGroup var confirmation: Confirmation
        @Flag(help: "Print the counts as JSON.") var json = false
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            if !dryRun { try confirmation.check() }
            try await selection.with(options) { session, known in
                let round = try await selection.round(session, known)
                if !dryRun && !confirmation.yes {
                    let meant = try await go(round, Drain(), title: "dead letters", DeadRound.counting) { _ in }
                    try await confirmation.ask("Drop \(meant.text("")), for good?")
                }
                let drain = Signals.shared.drain(within: session.settings.shutdownTimeout)
                let report = Report(verb: "dropped", isDryRun: dryRun, isJSON: json)
                let act = dryRun ? DeadRound.counting : DeadRound.dropping
                let tally = try await go(round, drain, title: "dead letters", act) { report.failed($0) }
                report.done(tally)
            }
        }
    }

    private struct Report {
        var verb: String
        var isDryRun: Bool
        var isJSON: Bool

        func done(_ tally: DeadTally) {
            Terminal.output(
                isJSON ? tally.json(verb, isDryRun: isDryRun).text : tally.text(isDryRun ? "would be \(verb)" : verb))
        }

        func failed(_ tally: DeadTally) {
            if !isDryRun { Terminal.error("farm: \(tally.text(verb)) before it failed; run it again for the rest") }
        }
    }

    /// - Parameter failed: called with the progress if it fails.
    private static func go(
        _ round: DeadRound, _ drain: Drain, title: String, _ act: DeadRound.Act, failed: (DeadTally) -> Void
    ) async throws -> DeadTally {
        var tally = DeadTally()
        let progress = Progress(title)
        do {
            defer { progress.end() }
            try await round.run(into: &tally, drain: drain) {
                progress.show($0.seen, of: $1, note: "\($0.done) match")
            } _: {
                try await act($0, $1)
            }
        } catch {
            failed(tally)
            throw error
        }
        if drain.isBegun && !Terminal.outputHasNoReader {
            Terminal.error("farm: stopped; run it again for the rest")
        }
        return tally
    }
}
