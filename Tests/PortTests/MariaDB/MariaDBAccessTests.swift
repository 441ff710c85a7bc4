import Foundation
import MariaDB
import Model
import Pipeline
import Servers
import Testing

@Suite("MariaDB: logging in")
struct MariaDBAccessTests {
    @Test("a wrong password is told, with the way to mend it and without the password")
    func wrongPassword() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let store = MariaDBHeartbeats(
            server.options(database.name, user: database.user, password: "not-it-5t8"))
        let told = await fault { try await store.record(.of("w1")) }
        #expect(told?.kind == .unusable)
        #expect(told?.description.contains("MONITORING_DB_PASSWORD") == true)
        #expect(told?.description.contains("not-it-5t8") == false)
        let findings = await store.findings()
        #expect(findings.first?.message.contains("It is not the password") == false, "\(findings)")
        await store.close()
    }

    @Test("any characters make a password", arguments: ["'\"\\%€ 😀;--`", " leading and trailing ", "a=b#c$d{e}", ""])
    func oddPassword(_ password: String) async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let user = try await user(server, database.name, "SELECT, INSERT, UPDATE", password: password)
        let store = MariaDBHeartbeats(server.options(database.name, user: user, password: password))
        try await store.record(.of("w1"))
        await store.close()
    }

    @Test("a missing permission is told by its name")
    func permission() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let user = try await user(server, database.name, "SELECT, INSERT", password: "p")
        let store = MariaDBHeartbeats(server.options(database.name, user: user, password: "p"))
        let told = await fault { _ = try await store.prepare() }
        #expect(told?.kind == .unusable)
        #expect(told?.message.contains("UPDATE command denied") == true)
        #expect(told?.message.contains("GRANT SELECT, INSERT, UPDATE ON `\(database.name)`.* TO '\(user)'@'%'") == true)
        await store.close()
    }

    @Test("a missing database is told")
    func database() async throws {
        let server = try MariaDBServer.shared()
        let store = MariaDBHeartbeats(server.options("nowhere", user: "root", password: ""))
        let told = await fault { try await store.record(.of("w1")) }
        #expect(told?.kind == .unusable)
        #expect(told?.message.contains("MONITORING_DB_NAME") == true)
        await store.close()
    }

    @Test("localhost means TCP with the port given, a path the socket there")
    func ways() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        for host in ["localhost", "127.0.0.1", server.socket] {
            var options = server.options(database)
            options.host = host
            let store = MariaDBHeartbeats(options)
            try await store.record(.of("w1"))
            await store.close()
        }
    }

    @Test(
        "TLS trusts the CA file and holds the certificate against the name or address",
        arguments: ["localhost", "127.0.0.1"])
    func tls(_ host: String) async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let user = try await user(server, database.name, "SELECT, INSERT, UPDATE", password: "p", "REQUIRE SSL")
        var options = server.options(database.name, user: user, password: "p")
        options.host = host
        let plain = MariaDBHeartbeats(options)
        let told = await fault { try await plain.record(.of("w1")) }
        #expect(told?.kind == .unusable)
        #expect(told?.message.hasPrefix("the server said: Access denied") == true)
        #expect(told?.message.contains("perhaps") == true && told?.message.contains("MONITORING_DB_TLS=true") == true)
        let findings = await plain.findings()
        #expect(findings.map(\.grade) == [.failed])
        #expect(findings.first?.message.contains("It is not the password") == true, "\(findings)")
        await plain.close()
        options.tls = true
        options.caFile = server.caFile
        let store = MariaDBHeartbeats(options)
        try await store.record(.of("w1"))
        try await store.record(.of("w1"))
        await store.close()
    }

    @Test("TLS refuses a server that another authority, or none that the system knows, has signed for")
    func otherAuthority() async throws {
        let server = try MariaDBServer.shared()
        var options = server.options(try await server.database())
        options.tls = true
        for authority in [try PostgreSQLServer.shared().caFile, nil] {
            options.caFile = authority
            let store = MariaDBHeartbeats(options)
            let told = await fault { try await store.record(.of("w1")) }
            #expect(told?.kind == .unusable)
            #expect(told?.message.contains("MONITORING_DB_CA_FILE") == true)
            await store.close()
        }
    }

    @Test("TLS refuses a certificate for another name")
    func otherName() async throws {
        let server = try MariaDBServer.shared()
        var options = server.options(try await server.database())
        // The same address, in a form that the certificate does not have.
        options.host = "127.1"
        options.tls = true
        options.caFile = server.caFile
        let store = MariaDBHeartbeats(options)
        let told = await fault { try await store.record(.of("w1")) }
        #expect(told?.kind == .unusable)
        #expect(told?.message.contains("127.1") == true)
        await store.close()
    }

    @Test("check tells how many ids are left, and fails where none is")
    func ids() async throws {
        let server = try MariaDBServer.shared()
        let database = try await server.database()
        let store = MariaDBHeartbeats(server.options(database))
        let root = try await server.connect(database)
        #expect(await store.findings().map(\.grade) == [.ok])
        try await root.run("ALTER TABLE worker_heartbeats AUTO_INCREMENT = 1800000000")
        let nearly = try #require(await store.findings().last)
        #expect(nearly.grade == .warning && nearly.message.contains("83.8 % of the ids of worker_heartbeats.id"))
        try await root.run("INSERT INTO worker_heartbeats (id, worker_id) VALUES (2147483647, 'w')")
        let full = try #require(await store.findings().last)
        #expect(full.grade == .failed && full.message.contains("MODIFY id BIGINT"), "\(full)")
        let told = await fault { try await store.record(.of("w1")) }
        #expect(told?.message.contains("used up") == true, "\(String(describing: told))")
        await store.close()
    }

    // MARK: Parts

    private func user(
        _ server: MariaDBServer, _ database: String, _ rights: String, password: String, _ more: String = ""
    ) async throws -> String {
        let user = "u" + UUID().uuidString.prefix(8).lowercased()
        let root = try await server.connect()
        let hex = password.utf8.map { String(format: "%02x", $0) }.joined()
        // PASSWORD() has no binary form: the statement is built by the server from the very bytes.
        try await root.run(
            "SET @sql = CONCAT('CREATE USER \(user) IDENTIFIED BY ', QUOTE(CONVERT(X'\(hex)' USING utf8mb4)), ' \(more)')"
        )
        try await root.run("EXECUTE IMMEDIATE @sql")
        try await root.run("GRANT \(rights) ON \(database).* TO \(user)")
        return user
    }
}
