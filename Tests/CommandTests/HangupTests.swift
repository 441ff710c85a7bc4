import Foundation
import Servers
import Testing

@Suite("SIGHUP, and what was ignored from the start", .serialized)
struct HangupTests {
    @Test("a signal that whoever started it had it ignore stays ignored", arguments: [SIGHUP, SIGINT])
    func inherited(_ number: Int32) async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)], roles: false)
        let up = try workplace.startBash("trap '' \(number); exec $FARM up", environment: ["LOG_FILE": "farm.log"])
        try await workplace.started(up, "clip")
        #expect(!up.handles(number))
        #expect(up.handles(SIGTERM))
        up.signal(number)
        up.signal(SIGTERM)
        let finished = try await up.finished()
        #expect(finished.status == 0)
        #expect(!finished.error.contains("read again"))
    }

    @Test("under nohup a command goes on, too")
    func nohup() async throws {
        let scene = try await Scene(["clip"], photos: 1, gate: true)
        let run = try scene.workplace.startBash("exec nohup $FARM run photos/1.jpg", environment: Scene.impatient)
        try await eventually("the call is in flight") { try await scene.doubles.calls(of: "clip").begun == 1 }
        #expect(!run.handles(SIGHUP))
        run.signal(SIGHUP)
        try scene.openGate()
        let finished = try await run.finished()
        #expect(finished.status == 0, "\(finished.error)")
        try await scene.doubles.stop()
    }

    @Test(
        "while a role waits for its servers SIGHUP opens the log again, and ends nothing",
        arguments: [["up"], ["work", "clip"]])
    func waiting(_ command: [String]) async throws {
        let site = try await Site()
        let broker = try await RabbitMQServer.started()
        try await broker.stop()
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)], roles: false)
        try site.write(
            workplace,
            other: [
                "QUEUE_PORT": "\(broker.port)", "QUEUE_VHOST": "/", "QUEUE_USER": "guest", "QUEUE_PASSWORD": "guest",
                "LOG_FILE": "farm.log",
            ])
        let role = try workplace.start(command)
        try await eventually("it waits") { role.error.contains("waiting for it") }
        try FileManager.default.moveItem(atPath: workplace.path("farm.log"), toPath: workplace.path("farm.log.1"))
        role.signal(SIGHUP)
        try await eventually("the log is there again") {
            FileManager.default.fileExists(atPath: workplace.path("farm.log"))
        }
        #expect(role.isRunning)
        // What was to be read again is read once there is somebody to do so.
        try workplace.configure([("colors", 2)], roles: false)
        try await broker.start()
        try await eventually("it goes on") { role.error.contains("worker clip") }
        if command == ["up"] {
            try await eventually("the configuration is read again") {
                role.error.contains("service_config.json read again")
            }
        }
        role.signal(SIGTERM)
        #expect(try await role.finished().status == 0)
        await broker.remove()
        await site.remove()
    }

    @Test("before a role has read its settings SIGHUP ends nothing")
    func early() async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)], roles: false)
        #expect(mkfifo(workplace.path("settings"), 0o600) == 0)
        let work = try workplace.start(["work", "clip", "--env-file", "settings"])
        // Opening it for writing waits for its reader.
        let writer = try workplace.startBash("exec 3> settings; echo open; exec sleep 1000")
        try await eventually("the settings are being read") { writer.output.contains("open") }
        work.signal(SIGHUP)
        try await eventually("it is heard") { !work.hasPending(SIGHUP) }
        writer.signal(SIGTERM)
        // The settings are read again, and each time somebody has to have opened the FIFO for writing.
        let writers = try workplace.startBash("while : > settings; do :; done")
        try await eventually("it goes on") { work.error.contains("worker clip") }
        work.signal(SIGTERM)
        #expect(try await work.finished().status == 0)
        writers.signal(SIGTERM)
    }

    @Test("a command that does one thing is still ended by SIGHUP")
    func ends() async throws {
        let workplace = try Workplace()
        #expect(mkfifo(workplace.path("settings"), 0o600) == 0)
        let status = try workplace.start(["status", "--env-file", "settings"])
        let writer = try workplace.startBash("exec 3> settings; echo open; exec sleep 1000")
        try await eventually("the settings are being read") { writer.output.contains("open") }
        status.signal(SIGHUP)
        #expect(try await status.finished().status == 128 + SIGHUP)
        writer.signal(SIGTERM)
    }
}

extension Running {
    /// Whether a signal waits to be taken.
    fileprivate func hasPending(_ number: Int32) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let masks = status.matches(of: /S(?:ig|hd)Pnd:\s+([0-9a-f]+)/).compactMap { UInt64($0.1, radix: 16) }
        return masks.contains { $0 & 1 << UInt64(number - 1) != 0 }
    }
}
