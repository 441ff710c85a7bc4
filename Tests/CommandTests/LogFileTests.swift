import Foundation
import Testing

@Suite("LOG_FILE")
struct LogFileTests {
    private static let missing = ["LOG_FILE": "missing/farm.log"]

    @Test("of a command that writes, one that cannot be opened is exit 2 with the reason, before anything is opened")
    func needed() async throws {
        let workplace = try Workplace()
        for command in [["work", "clip"], ["up"], ["produce"], ["init"]] {
            let finished = try await workplace.start(command, environment: LogFileTests.missing).finished()
            #expect(finished.status == 2, "\(command)")
            #expect(finished.error.contains("LOG_FILE missing/farm.log: No such file or directory"))
            #expect(!FileManager.default.fileExists(atPath: workplace.path("farm.db")))
        }
    }

    @Test(
        "of a command that only reads, one that cannot be opened is a warning",
        arguments: ["status", "monitor", "show 1.jpg", "export", "check", "dead", "dead show"])
    func wanted(_ command: String) async throws {
        let workplace = try await Workplace.prepared(images: 1)
        try workplace.configure([], roles: true)
        let words = command.split(separator: " ").map(String.init)
        let finished = try await workplace.start(words, environment: LogFileTests.missing).finished()
        #expect(finished.error.contains("farm: warning: LOG_FILE missing/farm.log: No such file or directory"))
        let whole = try await workplace.farm(words)
        #expect(finished.output == whole.output, "what it reads is all there")
        #expect(finished.status == whole.status)
    }

    @Test("a FIFO that nobody reads holds up nobody, and keeps the lines of a role for a reader that comes")
    func unreadFIFO() async throws {
        let workplace = try await Workplace.prepared()
        try workplace.configure([("clip", 1)], roles: false)
        #expect(mkfifo(workplace.path("log"), 0o600) == 0)
        let status = try await workplace.farm("status", environment: ["LOG_FILE": "log"])
        #expect(status.status == 0)
        #expect(status.error.contains("warning: LOG_FILE log: nobody reads this FIFO"))

        let up = try workplace.start(["up"], environment: ["LOG_FILE": "log"])
        try await workplace.started(up, "clip")
        let reader = try workplace.startBash("exec head -1 log")
        #expect(try await reader.finished().output.contains("worker clip: queue, store and heartbeats in farm.db"))
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
    }

    @Test("a FIFO whose reader does not keep up holds up nobody; that lines are lost is told")
    func fullFIFO() async throws {
        let workplace = try await Workplace.prepared()
        try workplace.configure([("clip", 1)], roles: false)
        #expect(mkfifo(workplace.path("log"), 0o600) == 0)
        // Holds it open and reads nothing; what fits in is filled up.
        let holder = try workplace.startBash(
            """
            exec 3<> log
            python3 -c '
            import os
            os.set_blocking(3, False)
            try:
                while True: os.write(3, b"x" * 4095 + b"\\n")
            except BlockingIOError: print("full", flush=True)'
            exec sleep 1000
            """)
        try await eventually("the FIFO is full") { holder.output.contains("full") }
        let up = try workplace.start(["up"], environment: ["LOG_FILE": "log"])
        try await workplace.started(up, "clip")
        let emptied = try await workplace.bash(
            """
            python3 -c '
            import os
            log, text = os.open("log", os.O_RDONLY | os.O_NONBLOCK), b""
            try:
                while True: text += os.read(log, 65536)
            except BlockingIOError: print(text.count(b"worker clip"))'
            """)
        #expect(emptied.output == "0\n", "its lines did not fit in")
        up.signal(SIGHUP)
        let reader = try workplace.startBash("exec head -2 log")
        try await eventually("the next lines come") { !reader.isRunning }
        #expect(try await reader.finished().output.contains(/WARNING farm: \d+ lines? lost: nobody read them/))
        up.signal(SIGTERM)
        #expect(try await up.finished().status == 0)
        holder.signal(SIGTERM)
    }
}
