import Foundation
import Testing

/// Names that are not UTF-8, as older systems have written them: the tables hold names as UTF-8.
@Suite("Names that are not UTF-8")
struct UnnamedTests {
    /// A folder with a photo and the same under a name in Latin-1, beside a folder and a text of such names.
    private func workplace() async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg"])
        let made = try await workplace.bash(
            """
            cd photos && mkdir $'sch\\xf6n' && cp 1.jpg $'sch\\xf6n/2.jpg' && cp 1.jpg $'caf\\xe9.jpg'
            echo text > $'caf\\xe9.txt'; : > $'\\xff'; ln -s 1.jpg $'\\xfe'; cp 1.jpg $'.\\xe9'
            """)
        try #require(made.status == 0, "\(made.error)")
        return workplace
    }

    private static let reason = "the name is not UTF-8, which the tables require: rename it"

    @Test("in a folder pictures and folders of such names are refused and told, the rest is imported")
    func folder() async throws {
        let workplace = try await workplace()
        let imported = try await workplace.farm("import", "photos")
        #expect(imported.status == 3)
        #expect(imported.output == "1 added, 0 there already, 2 files skipped: no image, 3 refused\n")
        #expect(imported.error.contains(#"photos/caf\xe9.jpg: \#(UnnamedTests.reason)"#))
        #expect(imported.error.contains(#"photos/\xfe: \#(UnnamedTests.reason)"#))
        #expect(
            imported.error.contains(#"photos/sch\xf6n: \#(UnnamedTests.reason); nothing in this folder was read"#))
        #expect(!imported.error.contains("No such file"))
    }

    @Test("a file that is named so is refused and told, the rest is imported")
    func named() async throws {
        let workplace = try await workplace()
        let imported = try await workplace.bash(
            "cp photos/1.jpg $'photos/caf\\xe8.jpg'; $FARM import photos/*.jpg $'photos/sch\\xf6n'")
        #expect(imported.status == 3)
        #expect(imported.output == "1 added, 0 there already, 3 refused\n")
        for name in [#"caf\xe8.jpg"#, #"caf\xe9.jpg"#, #"sch\xf6n"#] {
            #expect(imported.error.contains("photos/\(name): \(UnnamedTests.reason)"), "\(name)")
        }
    }

    @Test(
        "no other word of a command may be one",
        arguments: [
            "show $'caf\\xe9.jpg'", "show 1 --picture $'caf\\xe9.jpg'", "export --output=$'caf\\xe9.json'",
            "import photos --group $'caf\\xe9'", "link $'caf\\xe9'", "status --env-file $'caf\\xe9'",
        ])
    func arguments(_ command: String) async throws {
        let workplace = try await workplace()
        let finished = try await workplace.bash("$FARM \(command)")
        #expect(finished.status == 2)
        #expect(finished.error.contains(#"caf\xe9"#))
        #expect(finished.error.contains("not UTF-8"))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("farm.db")))
    }

    @Test("nor a variable that farm reads, nor the working directory")
    func surroundings() async throws {
        let workplace = try await workplace()
        let variable = try await workplace.bash("OTHER=$'\\xe9' DB_PASSWORD=$'secret\\xe9' $FARM status")
        #expect(variable.status == 2)
        #expect(variable.error == "farm: DB_PASSWORD in the environment: the value is not UTF-8\n")
        let folder = try await workplace.bash("cd $'photos/sch\\xf6n' && $FARM import 2.jpg")
        #expect(folder.status == 2)
        #expect(folder.error.contains(#"photos/sch\xf6n: its name is not UTF-8"#))
        #expect(try await workplace.bash("OTHER=$'\\xe9' $FARM status").status == 0)
    }

    @Test("a working directory that was removed is told as such", arguments: ["status", "import .", "up", "check"])
    func removed(_ command: String) async throws {
        let workplace = try Workplace()
        let finished = try await workplace.bash("mkdir gone && cd gone && rmdir ../gone && $FARM \(command)")
        #expect(finished.status == 2)
        #expect(finished.error.hasPrefix("farm: the working directory is gone (No such file or directory)"))
    }
}
