import Foundation
import Testing

/// The version, and the commit that a build is told by scripts/commit.sh.
@Suite("farm --version")
struct VersionTests {
    private let workplace: Workplace
    private static let committed =
        "git add --all && git -c user.name=a -c user.email=a@localhost commit --quiet -m first"

    init() throws {
        workplace = try Workplace()
        try workplace.write("tree/file", "first")
        try FileManager.default.createDirectory(
            atPath: workplace.path("tree/scripts"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Program.root.appending(path: "scripts/commit.sh").path,
            toPath: workplace.path("tree/scripts/commit.sh"))
    }

    /// What the script prints in the folder tree, after these commands there.
    private func commit(_ commands: String) async throws -> String {
        let run = try await workplace.bash("cd tree && \(commands) && scripts/commit.sh")
        #expect(run.status == 0 && run.error.isEmpty, "\(run.error)")
        return run.output
    }

    @Test("prints the version and the commit, or that the commit is not known")
    func version() async throws {
        let version = try await workplace.farm("--version")
        #expect(version.status == 0)
        #expect(
            version.output.wholeMatch(of: /\d+\.\d+\.\d+ \((unknown commit|commit [0-9a-f]{10}(-dirty)?)\)\n/) != nil,
            "\(version.output)")
    }

    @Test("the newest heading of the changes that is a version is this one")
    func changes() async throws {
        let page = try String(contentsOf: Program.root.appending(path: "CHANGELOG.md"), encoding: .utf8)
        let heading = try #require(page.firstMatch(of: /\n## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)\n/))
        let version = try await workplace.farm("--version").output
        #expect(version.hasPrefix("\(heading.1) "), "\(version)")
    }

    @Test("a commit is named by ten digits")
    func clean() async throws {
        let told = try await commit("git init --quiet && \(VersionTests.committed)")
        #expect(told.wholeMatch(of: /[0-9a-f]{10}\n/) != nil, "\(told)")
    }

    @Test(
        "uncommitted changes are told",
        arguments: ["echo second > file", "echo new > other", "rm file", "echo second > file && git add file"])
    func dirty(_ change: String) async throws {
        let told = try await commit("git init --quiet && \(VersionTests.committed) && \(change)")
        #expect(told.wholeMatch(of: /[0-9a-f]{10}-dirty\n/) != nil, "\(told)")
    }

    @Test("a working tree of another repository, whose .git is a file, is at its own commit")
    func worktree() async throws {
        let told = try await commit(
            "git init --quiet && \(VersionTests.committed) && git worktree add --quiet ../second && cd ../second")
        #expect(told.wholeMatch(of: /[0-9a-f]{10}\n/) != nil, "\(told)")
    }

    @Test(
        "nothing is told of what has no commit: an archive, also one unpacked inside a repository, and a new repository",
        arguments: [
            "true", "(cd .. && git init --quiet && \(VersionTests.committed))", "git init --quiet",
        ])
    func archive(_ commands: String) async throws {
        #expect(try await commit(commands).isEmpty)
    }

    @Test("Package.swift and the Makefile pass it on")
    func passedOn() async throws {
        try FileManager.default.copyItem(
            atPath: Program.root.appending(path: "Package.swift").path, toPath: workplace.path("Package.swift"))
        let path = try #require(ProcessInfo.processInfo.environment["PATH"])
        let package = try await workplace.bash(
            "swift package dump-package", environment: ["PATH": path, "FARM_COMMIT": "0123456789-dirty"])
        #expect(package.output.contains(#"FARM_COMMIT=\"0123456789-dirty\""#), "\(package.error)")
        let make = try await workplace.bash("make --dry-run -C '\(Program.root.path)' build")
        #expect(make.output.contains("FARM_COMMIT=$(scripts/commit.sh) swift build -c release"), "\(make.output)")
    }
}
