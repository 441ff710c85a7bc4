import ArgumentParser

struct FarmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "farm",
        abstract:
            "Runs many machine-learning services over many images, and combines their answers into one result for each image.",
        discussion: """
            Jobs (image × service) wait in queues. Workers call the services over HTTP and store their answers. farm \
            merges the boxes of several detectors and sends crops of them to the face, pose and colour services, and \
            all services vote on what an image shows.

            Everything is in one SQLite file, farm.db (FARM_DB), which several farm processes can share. If .env \
            names them, RabbitMQ, PostgreSQL and MariaDB are used instead, and many machines can share these.

            Examples:
              farm run photos/                       everything in one go, on this machine
              farm import photos/ --group holiday    load images
              farm produce --group holiday           submit their jobs
              farm up                                run all roles of this machine
              farm status                            how far the work is
              farm check                             what is wrong, and how to fix it
              farm show photos/1.jpg --picture out.jpg
            """,
        version: "\(FarmVersion.number) (\(FarmVersion.build))",
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
                    WebCommand.self, MonitorCommand.self, PlanCommand.self, CheckCommand.self, TryCommand.self,
                    PauseCommand.self,
                    ResumeCommand.self, LimitCommand.self, DeadCommand.self, PurgeCommand.self,
                    ForgetCommand.self, RemoveCommand.self, InitCommand.self, LinkCommand.self,
                ]),
        ])
}
