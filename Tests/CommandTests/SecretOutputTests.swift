import Foundation
import Servers
import Testing

@Suite("Passwords")
struct SecretOutputTests {
    /// Blanks, quotes of all kinds, signs that shells, URLs and connection strings know, and more than ASCII.
    private static let odd = #"s3cret '"`\$HOME &=;#%@:/?é🔑 x"#

    @Test("of any characters log in, from files too, and show up in no output, log, heartbeat or process list")
    func oddPasswords() async throws {
        let site = try await Site()
        let sql = Self.odd.replacing("'", with: "''")
        try await site.query("ALTER ROLE \(site.store.user) PASSWORD '\(sql)'")
        let root = try await site.mariaDB.connect()
        let literal = sql.replacing("\\", with: "\\\\")
        try await root.run("ALTER USER \(site.heartbeats.user)@'%' IDENTIFIED BY '\(literal)'")
        let bytes = Self.odd.utf8.map(String.init).joined(separator: ",")
        try await site.rabbitMQ.evaluate(
            "rabbit_auth_backend_internal:change_password(<<\"\(site.queue.user)\">>, <<\(bytes)>>, <<\"test\">>).")

        let scene = try await Scene(["clip", "colors", "face", "pose"], photos: 0)
        let work = scene.workplace
        // docker and systemd hand secrets over in files.
        try work.write("secret", Self.odd + "\n")
        let names = ["QUEUE_PASSWORD", "DB_PASSWORD", "MONITORING_DB_PASSWORD"]
        try site.write(
            work,
            other: names.reduce(into: [:]) {
                $0[$1] = ""
                $0[$1 + "_FILE"] = work.path("secret")
            })
        try work.photos(["photos/1.jpg"])
        var outputs: [String] = []
        func run(_ arguments: String..., status: Int32 = 0) async throws {
            let done = try await work.farm(arguments)
            #expect(done.status == status, "\(arguments): \(done.error)")
            outputs += [done.output, done.error]
        }
        try await run("init")
        try await run("import", "photos")
        try await run("check", "--json")
        try await run("produce")
        let log = ["LOG_LEVEL": "DEBUG", "LOG_FILE": "farm.log", "HEARTBEAT_INTERVAL": "0.2"]
        let up = try work.start(["up"], environment: log)
        try await eventually("the rows are there") {
            try await site.query("SELECT count(*) FROM results") == [["2"]]
        }
        let arguments = try String(contentsOfFile: "/proc/\(up.pid)/cmdline", encoding: .utf8)
        up.signal(SIGTERM)
        outputs += [
            arguments, try await up.finished().error,
            try String(contentsOfFile: work.path("farm.log"), encoding: .utf8),
        ]
        try await run("status", "--json")
        try await run("monitor", "--json")
        try await root.run("USE \(site.heartbeats.name)")
        outputs += try await root.run("SELECT * FROM worker_heartbeats").joined()

        // A wrong one is told of, not told.
        try work.write("secret", "wrong-" + Self.odd)
        try await run("status", status: 2)
        try await run("check", status: 1)
        for output in outputs { #expect(!output.contains("s3cret"), "\(output)") }
        try await scene.doubles.stop()
        await site.remove()
    }
}
