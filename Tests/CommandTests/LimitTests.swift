import Testing

@Suite("Limits of the process")
struct LimitTests {
    @Test("a low soft limit of open files is raised to the hard one, and no picture is taken for unreadable")
    func descriptors() async throws {
        let scene = try await Scene(photos: 6)
        try await scene.produce()
        let up = try await scene.workplace.bash(
            "ulimit -Sn 20; exec $FARM up --until-idle", environment: Scene.impatient)
        #expect(up.status == 0, "\(up.error)")
        #expect(!up.error.contains("files can be open"))
        #expect(
            try await scene.workplace.rows("SELECT status, count(*) FROM results GROUP BY 1")
                == ["success|\(6 * Scene.primary)"])
        try await scene.doubles.stop()
    }

    @Test(
        "a hard limit of open files that is too low is told, and that no file can be opened is not told as a missing right"
    )
    func tooFew() async throws {
        let workplace = try Workplace()
        #expect(try await workplace.farm("import", "--existing", "--group", "g").status == 0)
        let few = try await workplace.bash("ulimit -n 100; exec $FARM status")
        #expect(few.status == 0, "\(few.error)")
        #expect(few.error.contains("only 100 files can be open at once"))
        let none = try await workplace.bash("ulimit -n 10; exec $FARM status")
        #expect(none.status == 1, "\(none.error)")
        #expect(none.error.contains("too many files are open"), "\(none.error)")
    }
}
