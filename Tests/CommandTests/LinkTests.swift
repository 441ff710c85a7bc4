import Foundation
import Testing

@Suite("farm link")
struct LinkTests {
    private static let names: [String] = {
        let older = NameTests.olderNames.keys.flatMap { [$0, $0 + ".py"] }
        return (NameTests.roles + NameTests.roles.map { "farm-" + $0 } + older).sorted()
    }()

    private func target(_ workplace: Workplace, _ name: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: workplace.path(name))
    }

    /// As the kernel names it.
    private var program: String { Program.url.resolvingSymlinksInPath().path }

    @Test("the folder is made, with a link of each name to this program; again does nothing")
    func links() async throws {
        let workplace = try Workplace()
        let first = try await workplace.farm("link", "deep/bin")
        #expect(first.status == 0, "\(first.error)")
        #expect(first.output.contains("24 links made in deep/bin to \(program)"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: workplace.path("deep/bin")).sorted() == Self.names)
        for name in Self.names { #expect(try target(workplace, "deep/bin/\(name)") == program) }
        let again = try await workplace.farm("link", "deep/bin/")
        #expect(again.status == 0)
        #expect(again.output.contains("0 links made"))
        #expect(again.output.contains("24 there already"))
        let role = try await workplace.bash("SERVICE_NAME=nope deep/bin/generic_worker.py")
        #expect(role.status == 2)
        #expect(role.error.contains("unknown service nope"), "it runs its role")
    }

    @Test("called by a link it makes links to the program, not to the link")
    func throughLink() async throws {
        let workplace = try Workplace()
        #expect(try await workplace.farm(["link", "bin"], calledAs: "animal_farm").status == 0)
        #expect(try target(workplace, "bin/work") == program)
    }

    @Test("what is no link to farm is left as it is and told of, the rest is made, exit 1")
    func foreign() async throws {
        let workplace = try Workplace()
        try workplace.write("bin/work", "of mine")
        try workplace.write("bin/monitor/file", "")
        try FileManager.default.createSymbolicLink(
            atPath: workplace.path("bin/merge"), withDestinationPath: "/bin/true")
        let finished = try await workplace.farm("link", "bin")
        #expect(finished.status == 1)
        #expect(finished.error.contains("bin/work is a file"))
        #expect(finished.error.contains("bin/monitor is a folder"))
        #expect(finished.error.contains("bin/merge is a link to /bin/true"))
        #expect(try String(contentsOfFile: workplace.path("bin/work"), encoding: .utf8) == "of mine")
        #expect(try target(workplace, "bin/merge") == "/bin/true")
        #expect(try target(workplace, "bin/farm-work") == program)
    }

    @Test("links to where farm was before lead here afterwards", arguments: ["farm", "/opt/old/bin/farm"])
    func moved(_ old: String) async throws {
        let workplace = try Workplace()
        try FileManager.default.createDirectory(atPath: workplace.path("bin"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: workplace.path("bin/work"), withDestinationPath: old)
        let finished = try await workplace.farm("link", "bin")
        #expect(finished.status == 0, "\(finished.error)")
        #expect(try target(workplace, "bin/work") == program)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: workplace.path("bin")).count == 24, "nothing is left")
    }

    @Test("a folder that cannot be made is exit 1 with the reason")
    func noFolder() async throws {
        let workplace = try Workplace()
        try workplace.write("file", "")
        let finished = try await workplace.farm("link", "file/bin")
        #expect(finished.status == 1)
        #expect(finished.error.contains("file: the folder cannot be created: File exists"))
    }
}
