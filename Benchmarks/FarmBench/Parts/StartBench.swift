/// How soon the program is there.
enum StartBench {
    static func run() throws -> [Figure] {
        let folder = try TemporaryFolder()
        let runs = try (0..<60).map { _ in try Run(Programs.farm, ["--help"], in: folder.url) }
        return [
            Figure("`farm --help`, median of 60", runs.map(\.wall).median * 1000, "ms", goal: .atMost(30)),
            Figure("its processor time", runs.map(\.processor).median * 1000, "ms"),
        ]
    }
}
