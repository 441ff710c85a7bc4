import Foundation
import Testing

@Suite("Shell completions")
struct CompletionTests {
    @Test("a script comes for each shell, with every command", arguments: ["bash", "zsh", "fish"])
    func scripts(_ shell: String) async throws {
        let workplace = try Workplace()
        let script = try await workplace.farm("--generate-completion-script", shell)
        #expect(script.status == 0, "\(script.error)")
        #expect(script.error.isEmpty)
        for command in HelpTests.commands { #expect(script.output.contains(command), "\(command)") }
        try workplace.write("completions", script.output)
        // Of the three, bash is on every machine that tests run on.
        guard shell == "bash" || FileManager.default.isExecutableFile(atPath: "/usr/bin/\(shell)") else { return }
        let checked = try await workplace.bash("\(shell) -n completions")
        #expect(checked.status == 0, "\(checked.error)")
        #expect(checked.error.isEmpty)
    }

    @Test(
        "bash offers commands, flags, services and files",
        arguments: [
            ("farm ex", ["export"]), ("farm export --fo", ["--force", "--format"]),
            ("farm export --format c", ["coco", "csv"]),
            ("farm work yolo", ["yolov8"]), ("farm import pho", ["photos"]), ("farm link pho", ["photos"]),
        ])
    func bash(_ line: String, _ offered: [String]) async throws {
        let workplace = try Workplace()
        try workplace.photos(["photos/1.jpg"])
        let script = try await workplace.farm("--generate-completion-script", "bash")
        try workplace.write("completions", script.output)
        let finished = try await workplace.bash(
            """
            source completions
            COMP_LINE='\(line)' COMP_POINT=${#COMP_LINE} COMP_WORDS=(\(line))
            COMP_POINT=${#COMP_LINE} COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
            _farm farm "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """)
        #expect(finished.status == 0, "\(finished.error)")
        #expect(finished.output.split(separator: "\n").map(String.init).sorted() == offered)
    }

    @Test("a shell that is not known is exit 2 with those that are")
    func unknownShell() async throws {
        let script = try await Workplace().farm("--generate-completion-script", "tcsh")
        #expect(script.status == 2)
        for shell in ["bash", "zsh", "fish"] { #expect(script.error.contains(shell)) }
    }
}
