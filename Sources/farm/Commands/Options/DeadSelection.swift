import ArgumentParser
import Foundation
import Model
import Operations
import Pipeline

typealias DeadSession = OpenSession<(queue: Queue, store: Store?)>

/// Which dead letters a command is about.
struct DeadSelection: ParsableArguments {
    @Option(help: ArgumentHelp("Only from these queues, separated by commas.", valueName: "queues")) var queue: String?
    @Option(help: ArgumentHelp("Only for these services or roles, separated by commas.", valueName: "services"))
    var service: String?
    @Option(
        help: ArgumentHelp(
            "Only with these reasons, separated by commas: timeout, http, bad_message …", valueName: "reasons"))
    var reason: String?
    @Option(parsing: .upToNextOption, help: "Only for these images: id, path, URL or filename.") var image: [String] =
        []
    @Option(help: ArgumentHelp("Only those that died longer ago than this: 30m, 2h, 7d.", valueName: "age"))
    var olderThan: Age?
    @Option(help: ArgumentHelp("Only those that died within this time: 30m, 2h, 7d.", valueName: "age")) var newerThan:
        Age?
    @Option(parsing: .unconditional, help: "At most this many.") var limit: Int?

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, is \(limit).") }
        if let olderThan, let newerThan, olderThan.seconds >= newerThan.seconds {
            throw ValidationError("Nothing is dead for longer than --older-than and less than --newer-than.")
        }
    }

    /// Runs the body of a command with what it needs: the queue, and the store only if images are not named by id.
    func with(
        _ options: SettingsOptions, logs need: LogOutput.Need = .always,
        _ body: (DeadSession, KnownQueues) async throws -> Void
    ) async throws {
        let needsStore = image.contains { ImageID($0) == nil }
        try await DeadSession.with(options, logs: need) { connections in
            let store = needsStore ? try await connections.store(readsOnly: true).store : nil
            return (try await connections.queue(), store)
        } _: { session in
            try await body(session, try await KnownQueues(session.settings.directory, session.backends.queue))
        }
    }

    /// - Throws: `OperationFault` for an unknown service or image; `PortFault`.
    func round(_ session: DeadSession, _ known: KnownQueues) async throws -> DeadRound {
        let now = session.time.now()
        let choice = DeadLetterChoice(
            queues: queue.map(DeadSelection.names), services: service, reasons: reason.map(DeadSelection.names),
            images: image, before: olderThan.map { now.addingTimeInterval(-$0.seconds) },
            after: newerThan.map { now.addingTimeInterval(-$0.seconds) }, limit: limit)
        let unknown = choice.unknownQueues(known)
        if !unknown.isEmpty {
            // It may be another machine's: a broker does not list its queues.
            Terminal.error(
                "farm: warning: \(unknown.joined(separator: ", ")): no queue that is known here; known are "
                    + known.all.map(\.queue).sorted().joined(separator: ", "))
        }
        return try await choice.round(session.backends.queue, known, store: session.backends.store)
    }

    private static func names(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}

/// `30m`, `2h`, `7d`.
struct Age: ExpressibleByArgument {
    private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
    private static let longest = 100 * 366 * 86_400.0

    let seconds: Double

    init?(argument: String) {
        guard let unit = argument.last.flatMap({ Age.units[$0] }), let number = Double(argument.dropLast()),
            (0...Age.longest).contains(number * unit)
        else { return nil }
        seconds = number * unit
    }
}
