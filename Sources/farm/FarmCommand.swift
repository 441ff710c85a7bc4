import ArgumentParser
import CCommit

struct FarmCommand: AsyncParsableCommand {
    static let version = "0.2.0"

    private static let build: String = {
        let commit = String(cString: farm_commit())
        return commit.isEmpty ? "unknown commit" : "commit \(commit)"
    }()

    static let configuration = CommandConfiguration(
        commandName: "farm",
        abstract: "Runs many machine-learning services over many images, and makes one picture of what they say.",
        discussion: """
            Jobs (image × service) wait in queues; workers call the services over HTTP and store their answers; the boxes \
            of several detectors are fused, cropped for the face, pose and colour services, and all services vote.

            Everything lives in one SQLite file, farm.db (FARM_DB), which several farm processes may share; or, where \
            .env names them, in RabbitMQ, PostgreSQL and MariaDB, which many boxes share.

            Examples:
              farm run photos/                       everything in one go, on this box
              farm import photos/ --group holiday    load images
              farm produce --group holiday           submit their jobs
              farm up                                run all roles of this box
              farm status                            how far it is
              farm check                             what is wrong, and how to mend it
              farm show photos/1.jpg --picture out.jpg
            """,
        version: "\(version) (\(build))",
        groupedSubcommands: [
            CommandGroup(
                name: "Images in, findings out:",
                subcommands: [
                    RunCommand.self, ImportCommand.self, ProduceCommand.self, StatusCommand.self, ShowCommand.self,
                    ExportCommand.self,
                ]),
            CommandGroup(
                name: "Roles:",
                subcommands: [
                    UpCommand.self, WorkCommand.self, MergeCommand.self, EnrichCommand.self, ConsenseCommand.self,
                ]),
            CommandGroup(
                name: "Operation:",
                subcommands: [
                    MonitorCommand.self, CheckCommand.self, TryCommand.self, DeadCommand.self, PurgeCommand.self,
                    ForgetCommand.self, RemoveCommand.self, InitCommand.self, LinkCommand.self,
                ]),
        ])
}
