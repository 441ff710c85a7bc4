import Testing

@Suite("Help and unusable arguments")
struct HelpTests {
    static let commands = [
        "produce", "work", "merge", "enrich", "consense", "monitor", "up", "run", "init", "import", "status", "show",
        "export", "try", "link", "web", "dead", "purge", "forget", "remove", "check", "pause", "resume", "limit",
        "plan",
    ]

    @Test("every command's help goes to standard output and has an example", arguments: commands)
    func everyCommand(_ command: String) async throws {
        let help = try await Workplace().farm(command, "--help")
        #expect(help.status == 0)
        #expect(help.output.contains("Example"))
        #expect(help.output.contains("  farm \(command)"), "an example that can be copied")
        #expect(help.error.isEmpty)
    }

    @Test("farm --help lists every command")
    func ownHelp() async throws {
        let help = try await Workplace().farm("--help")
        #expect(help.status == 0)
        for command in HelpTests.commands { #expect(help.output.contains("  \(command)"), "\(command)") }
    }

    @Test("an unknown command is refused with the known ones")
    func unknownCommand() async throws {
        let finished = try await Workplace().farm("prodcue")
        #expect(finished.status == 2)
        #expect(finished.output.isEmpty)
        for command in HelpTests.commands { #expect(finished.error.contains(command), "\(command)") }
    }

    @Test("an unknown flag is refused with the known ones", arguments: commands)
    func unknownFlag(_ command: String) async throws {
        // With what some commands need, so that only the flag is wrong.
        let needed = command == "purge" ? ["--all"] : ["1", "2"]
        let finished = try await Workplace().farm([command] + needed + ["--bogus"])
        #expect(finished.status == 2)
        #expect(finished.output.isEmpty)
        #expect(finished.error.contains("--bogus"))
        #expect(finished.error.contains("Usage: farm \(command)"), "the usage names the known flags")
        #expect(finished.error.contains("--env-file") || command == "link")
    }

    @Test(
        "an unknown service is refused with the known ones",
        arguments: [["work", "yolo"], ["produce", "-s", "clip,yolo"], ["try", "yolo", "photo.jpg"]])
    func unknownService(_ arguments: [String]) async throws {
        let finished = try await Workplace().farm(arguments)
        #expect(finished.status == 2)
        #expect(finished.error.contains("yolo"))
        for service in ["blip", "detectron2", "inception_v3", "yolov8"] { #expect(finished.error.contains(service)) }
    }

    @Test(
        "a number that means nothing is refused with its flag",
        arguments: [
            ["produce", "--limit", "0"], ["produce", "--limit", "-3"], ["produce", "--limit", "many"],
            ["produce", "--delay=-1"], ["produce", "--delay=nan"], ["produce", "--delay", "inf"],
            ["work", "clip", "--concurrency", "0"], ["work", "clip", "--concurrency=-1"], ["merge", "--image=-3"],
            ["merge", "--image", "0"], ["monitor", "--dead-threshold=-1"], ["monitor", "--errors-window", "0"],
            ["monitor", "--performance-window", "nan"],
        ])
    func unusableNumber(_ arguments: [String]) async throws {
        let finished = try await Workplace().farm(arguments)
        #expect(finished.status == 2)
        #expect(finished.output.isEmpty)
        let flag = try #require(arguments.last { $0.hasPrefix("--") }?.split(separator: "=").first)
        #expect(finished.error.contains(flag))
    }

    @Test(
        "a negative number is taken for a number, not for a flag",
        arguments: [
            ["produce", "--limit", "-3"], ["produce", "-d", "-3"], ["work", "clip", "--concurrency", "-3"],
            ["monitor", "-d", "-3"], ["dead", "list", "--limit", "-3"],
        ])
    func negativeNumber(_ arguments: [String]) async throws {
        let finished = try await Workplace().farm(arguments)
        #expect(finished.status == 2)
        #expect(finished.error.contains("is -3"))
    }

    @Test(
        "what lacks an argument is refused",
        arguments: [
            ["import"], ["show"], ["run"], ["work"], ["import", "--existing"], ["merge", "--all", "--image", "1"],
            ["link"], ["try"], ["try", "clip"], ["purge"], ["forget"], ["remove"],
        ])
    func missingArgument(_ arguments: [String]) async throws {
        let finished = try await Workplace().farm(arguments)
        #expect(finished.status == 2)
        #expect(!finished.error.isEmpty)
        #expect(finished.output.isEmpty)
    }
}
