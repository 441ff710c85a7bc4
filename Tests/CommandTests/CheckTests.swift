import Foundation
import Model
import Servers
import Testing

/// What is wrong, the settings that make it so, and what `farm check` says of it.
struct Ailment: Sendable, CustomTestStringConvertible {
    var what: String
    var settings: [String: String]
    var says: String

    var testDescription: String { what }

    static let all = [
        Ailment(what: "a broker that is not there", settings: ["QUEUE_PORT": "1"], says: "check that the broker runs"),
        Ailment(
            what: "a wrong broker password", settings: ["QUEUE_PASSWORD": "x"],
            says: "check QUEUE_USER and QUEUE_PASSWORD"),
        Ailment(what: "an unknown virtual host", settings: ["QUEUE_VHOST": "nowhere"], says: "check QUEUE_VHOST"),
        Ailment(
            what: "a certificate of an authority that is not trusted", settings: ["QUEUE_CA_FILE": ""],
            says: "set QUEUE_CA_FILE to its authority's PEM file"),
        Ailment(
            what: "a certificate for another name", settings: ["QUEUE_HOST": "127.0.0.1"],
            says: "set QUEUE_HOST to a name in the certificate"),
        Ailment(
            what: "a store that is not there", settings: ["DB_PORT": "1"], says: "check that it runs, DB_HOST, DB_PORT"),
        Ailment(what: "a wrong store password", settings: ["DB_PASSWORD": "x"], says: "check DB_USER and DB_PASSWORD"),
        Ailment(
            what: "a missing database", settings: ["DB_NAME": "nowhere"], says: "check DB_NAME, or CREATE DATABASE"),
        Ailment(
            what: "a store without trust", settings: ["DB_CA_FILE": ""],
            says: "check DB_SSLMODE (verify-full), DB_CA_FILE"),
        Ailment(what: "a replica that is not there", settings: ["DB_READ_HOST": "127.0.0.2"], says: "127.0.0.2"),
        Ailment(
            what: "a monitoring database that is not there", settings: ["MONITORING_DB_PORT": "1"],
            says: "check that it runs, MONITORING_DB_HOST"),
        Ailment(
            what: "a wrong monitoring password", settings: ["MONITORING_DB_PASSWORD": "x"],
            says: "check MONITORING_DB_USER, MONITORING_DB_PASSWORD"),
        Ailment(
            what: "a monitoring database without trust", settings: ["MONITORING_DB_CA_FILE": ""],
            says: "MONITORING_DB_CA_FILE"),
    ]
}

@Suite("farm check")
struct CheckTests {
    @Test("finds nothing wrong where nothing is, on servers by TLS, and changes nothing there")
    func health() async throws {
        let site = try await Site()
        let scene = try await Scene(["clip", "colors", "face", "pose"], photos: 0)
        try site.write(scene.workplace, tls: true)
        let before = try await scene.workplace.farm("check")
        #expect(before.status == 0, "\(before.output)")
        #expect(before.output.contains("made at first use or by farm init: queue_clip"))
        #expect(before.output.contains("the tables are not up to date: farm init"))
        #expect(try await site.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [["0"]])

        let initialised = try await scene.workplace.farm("init")
        try #require(initialised.status == 0, "\(initialised.error)")
        let after = try await scene.workplace.farm("check", "--json")
        #expect(after.status == 0)
        let findings = try #require(try after.json().arrayValue)
        for finding in findings { #expect(finding.keys == ["status", "subject", "message"]) }
        // Whether the box's libheif is an old one is not what this is about.
        let others = findings.filter { $0["subject"] != "pictures" }
        #expect(others.map { $0["status"] } == others.map { _ in "ok" }, "\(after.output)")
        // The settings, a server each, a service each; and the pictures.
        #expect(others.count == 1 + 3 + 4)
        #expect(findings.count == others.count + 1)
        try await scene.doubles.stop()
        await site.remove()
    }

    @Test("names what is wrong and how to mend it", arguments: Ailment.all)
    func ailments(_ ailment: Ailment) async throws {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([], roles: false)
        try site.write(workplace, tls: true, other: ailment.settings)
        let check = try await workplace.farm("check")
        #expect(check.status == 1)
        let failed = check.output.split(separator: "\n").filter { $0.hasPrefix("failed") }
        #expect(failed.count == 1, "\(check.output)")
        #expect(failed.first?.contains(ailment.says) == true, "\(failed)")
        await site.remove()
    }

    @Test("names the missing right, by broker and database")
    func rights() async throws {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([], roles: false)
        try site.write(workplace)
        try #require(try await workplace.farm("init").status == 0)
        try await site.rabbitMQ.evaluate(
            """
            rabbit_auth_backend_internal:set_permissions(<<"\(site.queue.user)">>, <<"\(site.queue.name)">>,
                <<"^$">>, <<"^$">>, <<"^$">>, <<"test">>).
            """)
        try await site.query(
            """
            REASSIGN OWNED BY \(site.store.user) TO postgres; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public
            TO \(site.store.user); REVOKE INSERT ON results FROM \(site.store.user)
            """)
        let root = try await site.mariaDB.connect(site.heartbeats)
        try await root.run("REVOKE UPDATE ON \(site.heartbeats.name).* FROM \(site.heartbeats.user)@'%'")
        let check = try await workplace.farm("check")
        #expect(check.status == 1)
        for text in [
            "lacks the right to read", "lacks the right to write", "rabbitmqctl set_permissions",
            "GRANT INSERT, UPDATE, DELETE ON results TO", "lacks UPDATE, DELETE on", "lacks USAGE on SEQUENCE",
            "lacks UPDATE on worker_heartbeats",
        ] {
            #expect(check.output.contains(text), "\(text) is not in \(check.output)")
        }
        await site.remove()
    }

    @Test("names each server that is too old, and which version farm needs")
    func versions() async throws {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([], roles: false)
        let postgreSQL = try #require(try await site.query("SHOW server_version").first?.first)
        let mariaDB = try await site.mariaDB.connect(site.heartbeats).value("SELECT version()")
        let rabbitMQ = try await site.rabbitMQ.evaluate("rabbit_misc:version().").filter {
            !$0.isWhitespace && $0 != "\""
        }
        let older = { (version: String, major: String) in
            let rest = version.drop { $0 != "." }
            let number = String(repeating: "0", count: version.count - rest.count - major.count) + major
            return number + rest
        }
        let disguise = try await Disguise.of(
            [
                (site.rabbitMQ.port, rabbitMQ, older(rabbitMQ, "2")),
                (site.postgreSQL.port, postgreSQL, older(postgreSQL, "14")),
                (site.mariaDB.port, mariaDB, older(mariaDB, "9")),
            ], in: workplace)
        try #require(disguise.ports.count == 3)
        try site.write(
            workplace,
            other: [
                "QUEUE_HOST": "127.0.0.1", "QUEUE_PORT": "\(disguise.ports[0])", "DB_HOST": "127.0.0.1",
                "DB_PORT": "\(disguise.ports[1])", "MONITORING_DB_HOST": "127.0.0.1",
                "MONITORING_DB_PORT": "\(disguise.ports[2])",
            ])
        let check = try await workplace.farm("check")
        #expect(check.status == 1)
        let failed = check.output.split(separator: "\n").filter { $0.hasPrefix("failed") && $0.contains("too old") }
        #expect(failed.count == 3, "\(check.output)")
        for need in ["farm needs 3.8 or newer", "farm needs PostgreSQL 15", "farm needs MariaDB 10.2"] {
            #expect(failed.contains { $0.contains(need) }, "\(need) is not in \(check.output)")
        }
        disguise.stop()
        await site.remove()
    }

    @Test("tells the broker by TLS which name it asks for (Server Name Indication)")
    func serverName() async throws {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([], roles: false)
        let listener = try await Disguise.listener(site.rabbitMQ, in: workplace)
        try site.write(workplace, tls: true, other: ["QUEUE_PORT": "\(listener.ports[0])"])
        #expect(try await workplace.farm("check").status == 1, "what listens is no broker")
        #expect(listener.names().first == "localhost")
        listener.stop()
        await site.remove()
    }

    /// Servers that say that they have no TLS: PostgreSQL's port, then MariaDB's.
    private func withoutTLS() async throws -> (Site, Workplace, Disguise) {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([], roles: false)
        let disguise = try await Disguise.plain(site.postgreSQL, site.mariaDB, in: workplace)
        try #require(disguise.ports.count == 2)
        return (site, workplace, disguise)
    }

    @Test(
        "where TLS is set, a server without it is refused with the setting to check; only DB_SSLMODE=prefer goes on in the clear",
        arguments: ["require", "verify-ca", "verify-full", "prefer"])
    func withoutTLS(_ mode: String) async throws {
        let (site, workplace, disguise) = try await withoutTLS()
        try site.write(
            workplace, tls: true,
            other: [
                "QUEUE_PORT": "\(site.rabbitMQ.port)", "DB_PORT": "\(disguise.ports[0])", "DB_SSLMODE": mode,
                "MONITORING_DB_PORT": "\(disguise.ports[1])",
            ])
        let check = try await workplace.farm("check")
        #expect(check.status == 1)
        let failed = check.output.split(separator: "\n").filter { $0.hasPrefix("failed") }
        let hints = ["TLS", "MONITORING_DB_CA_FILE"] + (mode == "prefer" ? [] : ["check DB_SSLMODE (\(mode))"])
        #expect(failed.count == hints.count, "\(check.output)")
        for hint in hints { #expect(failed.contains { $0.contains(hint) }, "\(hint) is not in \(check.output)") }
        disguise.stop()
        await site.remove()
    }

    /// 0.0.0.0 reaches this machine, but is not named as its own.
    @Test(
        "a role says once that its rows cross the network in the clear, unless that was asked for",
        arguments: [
            ("prefer", "0.0.0.0", true), ("allow", "0.0.0.0", true), ("prefer", "127.0.0.1", false),
            ("disable", "0.0.0.0", false),
        ])
    func clearText(_ mode: String, _ host: String, _ isTold: Bool) async throws {
        let (site, workplace, disguise) = try await withoutTLS()
        try site.write(
            workplace, other: ["DB_HOST": host, "DB_PORT": "\(disguise.ports[0])", "DB_SSLMODE": mode])
        let initialised = try await workplace.farm("init")
        #expect(initialised.status == 0, "\(initialised.error)")
        let warnings = initialised.error.split(separator: "\n").filter { $0.contains("is not encrypted") }
        #expect(warnings.count == (isTold ? 1 : 0), "\(initialised.error)")
        disguise.stop()
        await site.remove()
    }

    @Test("warns of a queue with other arguments and refuses a column of another type")
    func differences() async throws {
        let site = try await Site()
        let workplace = try Workplace()
        try workplace.configure([], roles: false)
        try site.write(workplace, other: ["QUEUE_TYPE": "quorum"])
        try await site.rabbitMQ.evaluate(
            """
            rabbit_amqqueue:declare(rabbit_misc:r(<<"\(site.queue.name)">>, queue, <<"queue_consensus">>),
                true, false, [{<<"x-max-length">>, long, 1000000}], none, <<"test">>).
            """)
        try await site.query(
            """
            CREATE TABLE results (result_id SERIAL PRIMARY KEY, image_id TEXT);
            ALTER TABLE results OWNER TO \(site.store.user)
            """)
        let check = try await workplace.farm("check")
        #expect(check.status == 1)
        #expect(check.output.contains("queue_consensus: other arguments than QUEUE_TYPE=quorum"))
        #expect(check.output.contains("table results: image_id is text, but farm needs INT"))
        await site.remove()
    }

    @Test("tells a service that is down, one at another's port, and what is no service")
    func services() async throws {
        let scene = try await Scene(["clip", "colors", "face", "pose"], photos: 0, absent: ["blip"])
        let ports = Dictionary(scene.doubles.ports.map { ($0.service, $0.port) }) { first, _ in first }
        var services = scene.doubles.ports
        let blip = try #require(
            try JSON(
                parsing: Array(
                    String(contentsOfFile: scene.workplace.path("service_config.json"), encoding: .utf8).utf8))[
                    "services"]?["blip"]?["port"]?.integerValue)
        services += [("blip", blip), ("ocr", try #require(ports["clip"]))]
        try scene.workplace.configure(services)
        let check = try await scene.workplace.farm("check")
        #expect(check.status == 1)
        let lines = check.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("failed") && $0.contains("service blip") && $0.contains("is down") })
        #expect(
            lines.contains { $0.hasPrefix("failed") && $0.contains("service ocr") && $0.contains("answers as clip") })
        #expect(lines.contains { $0.hasPrefix("ok") && $0.contains("service clip") })
        #expect(lines.contains { $0.hasPrefix("ok") && $0.contains("farm.db: does not exist yet") })
        #expect(!FileManager.default.fileExists(atPath: scene.workplace.path("farm.db")), "it only looks")
        try await scene.doubles.stop()
    }
}
